-- What Hawaiian Airlines' flights were before that, and what they are now.
SELECT 'planned' AS version, count(*) AS flights, min(dep_delay) AS earliest, max(dep_delay) AS latest
FROM departures FOR VERSION AS OF 'planned' WHERE carrier = 'HA'
UNION ALL
SELECT 'now', count(*), min(dep_delay), max(dep_delay) FROM departures WHERE carrier = 'HA'
ORDER BY version DESC;
