ATTACH 'sqlite:build/demo/catalog.db' AS demo (TYPE iceberg, WAREHOUSE 'build/demo/warehouse');
USE demo.nyc;
