-- Hawaiian Airlines reports: late by more than 15 hours is no departure, early is on time, and there is one flight more. One commit.
MERGE INTO departures AS d
USING (SELECT time_hour, origin, carrier, flight, tailnum, dep_delay FROM flights WHERE carrier = 'HA'
       UNION ALL
       VALUES (TIMESTAMPTZ '2014-01-01 15:00:00+00', 'JFK', 'HA', 51, 'N380HA', 0)) AS report
ON d.carrier = report.carrier AND d.flight = report.flight AND d.time_hour = report.time_hour
WHEN MATCHED AND report.dep_delay > 900 THEN DELETE
WHEN MATCHED AND report.dep_delay < 0 THEN UPDATE SET dep_delay = 0
WHEN NOT MATCHED THEN INSERT VALUES (report.time_hour, report.origin, report.carrier, report.flight, report.tailnum,
                                     report.dep_delay);
