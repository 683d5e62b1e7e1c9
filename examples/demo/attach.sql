ATTACH 'sqlite:build/demo/catalog.db' AS demo (TYPE iceberg);
USE demo.nyc;
