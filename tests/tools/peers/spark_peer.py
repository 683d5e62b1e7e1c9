#!/usr/bin/env python3
"""spark_peer.py JARS (--sqlite FILE | --rest URI | --hadoop FOLDER) [--warehouse PLACE] [--name NAME]

Apache Spark with Iceberg's Java library: SQL statements in, rows out (peer_lines.py). The catalog is
called `ice` unless told otherwise, and is the current one.
"""
import argparse
import decimal
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import peer_lines  # noqa: E402

EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
# As small as it gets: one thread, and no code is made at run time.
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.extensions": EXTENSIONS,
    "spark.driver.extraJavaOptions":
        "-Duser.timezone=UTC -Xss8m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.memory": "1g",
}


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jars", type=pathlib.Path)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--sqlite")
    place.add_argument("--rest")
    place.add_argument("--hadoop")
    parser.add_argument("--warehouse")
    parser.add_argument("--name", default="ice")
    return parser.parse_args()


def catalog(told):
    prefix = f"spark.sql.catalog.{told.name}"
    settings = {prefix: "org.apache.iceberg.spark.SparkCatalog",
                f"{prefix}.cache-enabled": "false",
                "spark.sql.defaultCatalog": told.name}
    if told.sqlite:
        settings |= {f"{prefix}.type": "jdbc", f"{prefix}.jdbc.schema-version": "V1",
                     f"{prefix}.uri": f"jdbc:sqlite:{os.path.abspath(told.sqlite)}"}
    elif told.rest:
        settings |= {f"{prefix}.type": "rest", f"{prefix}.uri": told.rest}
    else:
        settings |= {f"{prefix}.type": "hadoop", f"{prefix}.warehouse": os.path.abspath(told.hadoop)}
    if told.warehouse:
        settings[f"{prefix}.warehouse"] = told.warehouse
    return settings


def open_session(told):
    os.environ["TZ"] = "UTC"
    from pyspark.sql import SparkSession  # pylint: disable=import-outside-toplevel
    jars = sorted(str(path.resolve()) for path in told.jars.glob("*.jar"))
    builder = SparkSession.builder.master("local[1]").appName("peer")
    settings = SETTINGS | catalog(told) | {"spark.jars": ",".join(jars),
                                           "spark.driver.extraClassPath": ":".join(jars)}
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def spark_value(kind, value):
    from pyspark.sql import types  # pylint: disable=import-outside-toplevel
    if value is None:
        return None
    if isinstance(kind, types.StructType):
        return {each.name: spark_value(each.dataType, value[i])
                for i, each in enumerate(kind.fields)}
    if isinstance(kind, types.ArrayType):
        return [spark_value(kind.elementType, each) for each in value]
    if isinstance(kind, types.MapType):
        return peer_lines.pairs_of((key, each) for key, each in value.items())
    if isinstance(kind, types.TimestampType):  # In the zone of the process, which is UTC.
        return peer_lines.value_of(value) + "+00:00"
    if isinstance(kind, types.DecimalType):  # On its way to Python 1E-10 becomes 1.00E-10.
        wanted = decimal.Decimal((value.as_tuple().sign, (0,), -kind.scale))
        return peer_lines.value_of(value.quantize(wanted, context=decimal.Context(
            prec=60, traps=[decimal.Inexact, decimal.InvalidOperation])))
    return peer_lines.value_of(value)


def main():
    session = open_session(options())

    def answer(request):
        frame = session.sql(request["sql"])
        fields = frame.schema.fields
        rows = [[spark_value(each.dataType, row[i]) for i, each in enumerate(fields)]
                for row in frame.collect()]
        return [each.name for each in fields], rows

    peer_lines.serve(answer)
    session.stop()


if __name__ == "__main__":
    main()
