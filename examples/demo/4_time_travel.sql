-- The table as it was after its first commit, next to what it is now.
SELECT 'first half' AS version, count(*) AS flights, max(month) AS last_month
FROM flights FOR VERSION AS OF 'first_half'
UNION ALL
SELECT 'now', count(*), max(month)
FROM flights
ORDER BY flights;
