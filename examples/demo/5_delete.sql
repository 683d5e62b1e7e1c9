-- A copy of the flights, from which those that never left are deleted: the files stay, a few small ones say which rows are gone.
CREATE OR REPLACE TABLE departures PARTITIONED BY (month(time_hour))
WITH ('write.delete.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read')
AS SELECT time_hour, origin, carrier, flight, tailnum, dep_delay FROM flights;
ALTER TABLE departures CREATE OR REPLACE TAG planned;
DELETE FROM departures WHERE dep_delay IS NULL;
SELECT count(*) AS departed FROM departures;
