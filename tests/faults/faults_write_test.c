// The statements that write, of which each call to the system fails once.
#include "base/test.h"
#include "fault_sweep.h"
#include "write_sweep.h"

static const write_scenario statements[] = {
    {.name = "create",
     .sql = "CREATE TABLE u (x BIGINT NOT NULL, p VARCHAR) PARTITIONED BY (bucket(3, x))"},
    {.name = "create as",
     .sql = "CREATE TABLE u PARTITIONED BY (bucket(3, x)) AS SELECT x, p FROM t"},
    {.name = "replace", .sql = "CREATE OR REPLACE TABLE t AS SELECT x + 1 AS x, p FROM t"},
    {.name = "insert", .sql = "INSERT INTO t SELECT x + 100, p FROM t"},
    {.name = "insert into a branch",
     .sql = "INSERT INTO t.branch_side VALUES (7, 'p1'), (8, 'p7')"},
    {.name = "delete", .sql = "DELETE FROM t WHERE x % 7 = 3", .has_modes = true},
    {.name = "delete of files", .sql = "DELETE FROM t WHERE p = 'p1'"},
    {.name = "update",
     .sql = "UPDATE t SET p = p || 'u', x = x + 1 WHERE x > 15",
     .has_modes = true},
    {.name = "merge",
     .sql =
         "MERGE INTO t USING range(15, 30) AS g(k) ON x = k WHEN MATCHED AND k % 2 = 0 THEN DELETE "
         "WHEN MATCHED THEN UPDATE SET p = 'm' WHEN NOT MATCHED THEN INSERT VALUES (k, 'n')",
     .has_modes = true},
    {.name = "replace where",
     .sql = "INSERT INTO t REPLACE WHERE x < 10 VALUES (1, 'r')",
     .has_modes = true},
    {.name = "insert overwrite", .sql = "INSERT OVERWRITE t VALUES (1, 'p0'), (2, 'p8')"},
    {.name = "truncate", .sql = "TRUNCATE TABLE t"},
    {.name = "alter columns",
     .sql = "ALTER TABLE t ADD COLUMN y BIGINT, ALTER COLUMN p COMMENT 'of it'"},
    {.name = "set not null", .sql = "ALTER TABLE t ALTER COLUMN x SET NOT NULL"},
    {.name = "alter layout",
     .sql = "ALTER TABLE t ADD PARTITION FIELD bucket(2, x), WRITE ORDERED BY x"},
    {.name = "alter properties", .sql = "ALTER TABLE t SET TBLPROPERTIES ('owner' = 'me')"},
    {.name = "rename", .sql = "ALTER TABLE t RENAME TO u", .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "drop", .sql = "DROP TABLE t", .may_stay = "which was dropped"},
    {.name = "purge",
     .sql = "DROP TABLE t PURGE",
     .may_stay = "removing files of the table \"t\", which was dropped"},
    {.name = "create tag", .sql = "ALTER TABLE t CREATE TAG other"},
    {.name = "create branch", .sql = "ALTER TABLE t CREATE BRANCH other RETAIN 7 DAYS"},
    {.name = "replace branch", .sql = "ALTER TABLE t REPLACE BRANCH side AS OF VERSION {mark}"},
    {.name = "drop branch", .sql = "ALTER TABLE t DROP BRANCH side"},
    {.name = "drop tag", .sql = "ALTER TABLE t DROP TAG mark"},
    {.name = "rollback", .sql = "CALL lake.system.rollback_to_snapshot('db.t', {mark})"},
    {.name = "rollback to a time", .sql = "CALL lake.system.rollback_to_timestamp('db.t', {when})"},
    {.name = "remove orphans",
     .sql = "CALL lake.system.remove_orphan_files('db.t')",
     .orphan = "db/t/data/orphan.parquet",
     .is_small = true},
    {.name = "create view",
     .sql = "CREATE VIEW w AS SELECT x, p FROM t WHERE x > 5",
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "replace view",
     .sql = "CREATE OR REPLACE VIEW w AS SELECT x + 1 AS x, p FROM t",
     .before = "CREATE VIEW w AS SELECT x, p FROM t",
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "alter view",
     .sql = "ALTER VIEW w SET TBLPROPERTIES ('owner' = 'me')",
     .before = "CREATE VIEW w AS SELECT x, p FROM t",
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "another query of a view",
     .sql = "ALTER VIEW w AS SELECT x + 1 AS x, p FROM t",
     .before = "CREATE VIEW w AS SELECT x, p FROM t",
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "unset of a view",
     .sql = "ALTER VIEW w UNSET TBLPROPERTIES ('owner')",
     .before = "CREATE VIEW w WITH ('owner' = 'me') AS SELECT x, p FROM t",
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "drop view",
     .sql = "DROP VIEW w",
     .before = "CREATE VIEW w AS SELECT x, p FROM t",
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "set current snapshot",
     .sql = "CALL lake.system.set_current_snapshot('db.t', {side})"},
    {.name = "cherry-pick",
     .sql = "CALL lake.system.cherrypick_snapshot('db.t', {side})",
     .before = "INSERT INTO t VALUES (77, 'p2')"},
    {.name = "fast-forward", .sql = "CALL lake.system.fast_forward('db.t', 'main', 'side')"},
    {.name = "create schema", .sql = "CREATE SCHEMA lake.more", .is_small = true},
    {.name = "alter schema",
     .sql = "ALTER SCHEMA lake.empty SET DBPROPERTIES ('location' = '{w}/elsewhere')",
     .probe = "CREATE TABLE lake.empty.a (x BIGINT)",
     .is_small = true,
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = "drop schema", .sql = "DROP SCHEMA lake.empty", .is_small = true},
    {.name = "drop schema cascade",
     .sql = "DROP SCHEMA lake.empty CASCADE",
     .before = "CREATE TABLE lake.empty.a (x BIGINT)",
     .also = {"DROP TABLE lake.empty.a"}},
    {.name = "transaction",
     .sql = "BEGIN; INSERT INTO t VALUES (4, 'p4'); DELETE FROM t WHERE x = 1; UPDATE t SET x = 5 "
            "WHERE x "
            "= 4; COMMIT",
     .has_modes = true},
    {.name = "transaction of two",
     .sql = "BEGIN; CREATE TABLE u (x BIGINT, p VARCHAR); INSERT INTO t VALUES (4, 'p4'); INSERT "
            "INTO u "
            "SELECT x, p FROM t; COMMIT",
     .not_in = WRITE_CATALOG(FOLDERS)},
    {.name = NULL},
};

TEST(faults_writes_sqlite) {
    write_sweep(WRITE_SQLITE, statements);
}

TEST(faults_writes_folders) {
    write_sweep(WRITE_FOLDERS, statements);
}

TEST(faults_writes_rest) {
    write_sweep(WRITE_REST, statements);
}

// Files that no catalog knows.
static const write_scenario copies[] = {
    {.name = "copy", .sql = "COPY t TO '{out}/a.parquet'", .is_small = true},
    {.name = "copy over a file",
     .sql = "COPY t TO '{out}/a.parquet' (OVERWRITE)",
     .is_small = true,
     .before = "COPY (SELECT CAST(5 AS BIGINT) AS x, 'o' AS p) TO '{out}/a.parquet'"},
    {.name = "copy to a folder",
     .sql = "COPY t TO '{out}/f' (FORMAT parquet, PARTITION_BY p)",
     .is_small = true},
    {.name = "copy over a folder",
     .sql = "COPY t TO '{out}/f' (FORMAT parquet, FILE_SIZE '100B', OVERWRITE)",
     .is_small = true,
     .before = "COPY t TO '{out}/f' (FORMAT parquet, FILE_SIZE '1MB')"},
    {.name = "copy to CSV", .sql = "COPY t TO '{out}/a.csv.gz'", .is_small = true},
    {.name = "copy to Arrow", .sql = "COPY t TO '{out}/a.arrow'", .is_small = true},
    {.name = NULL},
};

TEST(faults_writes_copies) {
    write_sweep(WRITE_SQLITE, copies);
}
