-- Do old planes wait longer in bad weather? Three tables, joined on a tail number and on an hour.
SELECT CASE WHEN p.year < 1995 THEN 'before 1995'
            WHEN p.year < 2005 THEN '1995 to 2004'
            ELSE '2005 and later' END AS built,
       count(*) AS flights,
       round(avg(CASE WHEN w.visib < 5 THEN f.dep_delay END), 1) AS delay_in_fog,
       round(avg(CASE WHEN w.visib >= 5 THEN f.dep_delay END), 1) AS delay_else
FROM flights AS f
JOIN planes AS p ON f.tailnum = p.tailnum
JOIN weather AS w ON f.origin = w.origin AND f.time_hour = w.time_hour
WHERE p.year IS NOT NULL
GROUP BY built
ORDER BY built;
