-- The flights of 2013 as Iceberg tables in a new SQLite catalog. Flights lie by month and come in two commits.
ATTACH 'sqlite:build/demo/catalog.db' AS demo (TYPE iceberg, WAREHOUSE 'build/demo/warehouse');
CREATE SCHEMA demo.nyc;
USE demo.nyc;
CREATE TABLE airlines AS SELECT * FROM 'examples/data/nycflights13/airlines.parquet';
CREATE TABLE airports AS SELECT * FROM 'examples/data/nycflights13/airports.parquet';
CREATE TABLE planes AS SELECT * FROM 'examples/data/nycflights13/planes.parquet';
CREATE TABLE weather AS SELECT * FROM 'examples/data/nycflights13/weather.parquet';
CREATE TABLE flights PARTITIONED BY (month(time_hour))
AS SELECT * FROM 'examples/data/nycflights13/flights.parquet' WHERE month <= 6;
ALTER TABLE flights CREATE TAG first_half;
INSERT INTO flights SELECT * FROM 'examples/data/nycflights13/flights.parquet' WHERE month > 6;
