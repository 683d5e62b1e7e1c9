"""Writes Iceberg tables of version 2 one step at a time, by PyIceberg's own Avro writers: what its
catalogs cannot make, such as delete files, ten thousand files at once, or paths that are not absolute.
"""
import json
import pathlib
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.conversions import to_bytes
from pyiceberg.io.pyarrow import PyArrowFileIO, schema_to_pyarrow
from pyiceberg.manifest import (DataFile, DataFileContent, FileFormat, ManifestContent,
                                ManifestEntry, ManifestEntryStatus, ManifestWriterV2,
                                write_manifest_list)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.typedef import Record

DATA, POSITION_DELETES, EQUALITY_DELETES = (
    DataFileContent.DATA, DataFileContent.POSITION_DELETES, DataFileContent.EQUALITY_DELETES)


class DeleteManifestWriter(ManifestWriterV2):
    def content(self):
        return ManifestContent.DELETES

    @property
    def _meta(self):
        return {**super()._meta, "content": "deletes"}


def counts_and_bounds(rows, schema):
    """The metrics of a table of rows: counts and bounds of its top-level columns."""
    metrics = {"value_counts": {}, "null_value_counts": {}, "nan_value_counts": {},
               "lower_bounds": {}, "upper_bounds": {}}
    for field in schema.fields:
        column = rows.column(field.name)
        metrics["value_counts"][field.field_id] = len(column)
        metrics["null_value_counts"][field.field_id] = column.null_count
        values = [value for value in column.to_pylist() if value is not None]
        if not field.field_type.is_primitive or not values:
            continue
        if str(field.field_type) in ("float", "double"):
            metrics["nan_value_counts"][field.field_id] = sum(value != value for value in values)
            values = [value for value in values if value == value]
        if values:
            metrics["lower_bounds"][field.field_id] = bound(field.field_type, min(values))
            metrics["upper_bounds"][field.field_id] = bound(field.field_type, max(values))
    return metrics


def bound(kind, value):
    from pyiceberg.expressions.literals import literal
    if str(kind) in ("string", "binary") or isinstance(value, (int, float)):
        return to_bytes(kind, value)
    return to_bytes(kind, literal(str(value) if str(kind) in ("date", "uuid") else value).to(kind).value)


class Writer:
    """A table in a folder. `add` makes a snapshot of data and delete files."""

    def __init__(self, folder, schema, location=None, spec=UNPARTITIONED_PARTITION_SPEC):
        self.folder = pathlib.Path(folder)
        self.location = location or str(self.folder.resolve())
        self.schema, self.spec = schema, spec
        self.io = PyArrowFileIO()
        self.manifests = []  # ManifestFile, the newest last.
        self.snapshots, self.log, self.refs = [], [], {}
        self.sequence, self.time_ms = 0, 1_700_000_000_000
        (self.folder / "metadata").mkdir(parents=True, exist_ok=True)
        (self.folder / "data").mkdir(exist_ok=True)

    def write_rows(self, name, rows, schema=None, **options):
        """A Parquet file data/NAME of rows, as the arguments of a DataFile."""
        schema = schema or self.schema
        rows = rows.cast(schema_to_pyarrow(schema))
        path = self.folder / "data" / name
        pq.write_table(rows, path, compression="zstd", store_schema=False, **options)
        return {"file_path": f"{self.location}/data/{name}", "file_format": FileFormat.PARQUET,
                "partition": Record(), "record_count": rows.num_rows,
                "file_size_in_bytes": path.stat().st_size, "column_sizes": {},
                **counts_and_bounds(rows, schema)}

    def manifest(self, files, snapshot_id, content=DATA, status=ManifestEntryStatus.ADDED,
                 sequence=None, spec=None):
        """A manifest of files, each a dict of a DataFile's members."""
        name = f"{uuid.uuid4()}-m{len(self.manifests)}.avro"
        writer_of = ManifestWriterV2 if content == DATA else DeleteManifestWriter
        output = self.io.new_output(str((self.folder / "metadata" / name).resolve()))
        with writer_of(spec or self.spec, self.schema, output, snapshot_id, "deflate") as writer:
            for file in files:
                data_file = DataFile.from_args(content=file.get("content", content), **{
                    key: value for key, value in file.items() if key != "content"})
                writer.add_entry(ManifestEntry.from_args(
                    status=status, snapshot_id=snapshot_id, sequence_number=sequence,
                    file_sequence_number=sequence, data_file=data_file))
        made = writer.to_manifest_file()
        made[0] = f"{self.location}/metadata/{name}"  # manifest_path
        return made

    def commit(self, manifests, operation="append", snapshot_id=None, schema_id=0, keep=None,
               parent=None, **summary):
        """A snapshot of these new manifests and the ones there were (or those of `keep`), after the
        newest one (or `parent`)."""
        self.sequence += 1
        self.time_ms += 1000
        if parent is None and self.snapshots:
            parent = self.snapshots[-1]["snapshot-id"]
        self.manifests = (self.manifests if keep is None else keep) + manifests
        name = f"snap-{snapshot_id}-1-{uuid.uuid4()}.avro"
        output = self.io.new_output(str((self.folder / "metadata" / name).resolve()))
        with write_manifest_list(2, output, snapshot_id, parent, self.sequence, "deflate") as writer:
            writer.add_manifests(list(reversed(self.manifests)))
        # What the writer numbered stays as it is in later lists.
        for each in manifests:
            each[4] = self.sequence if each[4] == -1 else each[4]
            each[5] = self.sequence if each[5] == -1 else each[5]
        self.snapshots.append({
            "snapshot-id": snapshot_id, "sequence-number": self.sequence,
            "timestamp-ms": self.time_ms, "schema-id": schema_id,
            "summary": {"operation": operation, **summary},
            "manifest-list": f"{self.location}/metadata/{name}",
            **({"parent-snapshot-id": parent} if parent else {})})
        self.log.append({"snapshot-id": snapshot_id, "timestamp-ms": self.time_ms})
        self.refs["main"] = {"snapshot-id": snapshot_id, "type": "branch"}

    def finish(self, schemas=None, specs=None, properties=None, name="v1.metadata.json"):
        """Writes the metadata file and its version hint, and gives back its path."""
        schemas = schemas or [self.schema]
        specs = specs or [self.spec]
        partition_ids = [field.field_id for spec in specs for field in spec.fields]
        metadata = {
            "format-version": 2, "table-uuid": str(uuid.uuid4()), "location": self.location,
            "last-sequence-number": self.sequence, "last-updated-ms": self.time_ms,
            "last-column-id": max(schema.highest_field_id for schema in schemas),
            "current-schema-id": schemas[-1].schema_id,
            "schemas": [json.loads(schema.model_dump_json()) for schema in schemas],
            "default-spec-id": specs[-1].spec_id,
            "partition-specs": [json.loads(spec.model_dump_json()) for spec in specs],
            "last-partition-id": max([999, *partition_ids]),
            "default-sort-order-id": 0, "sort-orders": [{"order-id": 0, "fields": []}],
            "properties": properties or {}, "refs": self.refs, "snapshots": self.snapshots,
            "snapshot-log": self.log, "metadata-log": [], "statistics": [],
            "partition-statistics": [],
            **({"current-snapshot-id": self.snapshots[-1]["snapshot-id"]} if self.snapshots else {})}
        path = self.folder / "metadata" / name
        path.write_text(json.dumps(metadata, separators=(",", ":")))
        (self.folder / "metadata" / "version-hint.text").write_text(name[1:].split(".")[0])
        return path


def field_id_metadata(name, kind, field_id, nullable=True):
    """An Arrow field with an Iceberg id, for schemas of delete files."""
    return pa.field(name, kind, nullable, {b"PARQUET:field_id": str(field_id).encode()})
