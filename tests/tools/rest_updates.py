"""What an Iceberg REST server does with a commit: requirements checked against the table's metadata, updates
applied to it, as Apache Iceberg's own server does. For rest_catalog.py.
"""
import copy
import time
import uuid


class Refused(Exception):
    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind = status, kind


def failed(message):
    return Refused(409, "CommitFailedException", "Requirement failed: " + message)


def invalid(message):
    return Refused(400, "BadRequestException", message)


# ---- Requirements --------------------------------------------------------------------------------

def check(requirement, metadata):
    """`metadata` is None where there is no table."""
    kind = requirement["type"]
    if kind == "assert-create":
        if metadata is not None:
            raise failed("table already exists")
        return
    if metadata is None:
        raise failed("table does not exist")
    if kind == "assert-table-uuid":
        if metadata["table-uuid"] != requirement["uuid"]:
            raise failed(f"UUID does not match: expected {metadata['table-uuid']} != {requirement['uuid']}")
        return
    if kind == "assert-ref-snapshot-id":
        ref = metadata.get("refs", {}).get(requirement["ref"])
        wanted, found = requirement.get("snapshot-id"), ref and ref["snapshot-id"]
        if wanted != found:
            raise failed(f"branch {requirement['ref']} has changed: expected id {wanted} != {found}")
        return
    fields = {"assert-last-assigned-field-id": ("last-assigned-field-id", "last-column-id"),
              "assert-current-schema-id": ("current-schema-id", "current-schema-id"),
              "assert-last-assigned-partition-id": ("last-assigned-partition-id", "last-partition-id"),
              "assert-default-spec-id": ("default-spec-id", "default-spec-id"),
              "assert-default-sort-order-id": ("default-sort-order-id", "default-sort-order-id")}
    if kind not in fields:
        raise invalid(f"Cannot convert update requirement from json. Unrecognized type: {kind}")
    key, member = fields[kind]
    if requirement[key] != metadata[member]:
        raise failed(f"{member}: expected {requirement[key]} != {metadata[member]}")


# ---- Updates -------------------------------------------------------------------------------------

class Builder:
    """Metadata that updates are applied to; -1 is what was added last."""

    def __init__(self, metadata):
        self.data = copy.deepcopy(metadata) if metadata else {
            "format-version": 2, "table-uuid": str(uuid.uuid4()), "last-sequence-number": 0,
            "last-updated-ms": 0, "last-column-id": 0, "last-partition-id": 999, "schemas": [],
            "current-schema-id": -1, "partition-specs": [], "default-spec-id": -1, "sort-orders": [],
            "default-sort-order-id": -1, "properties": {}, "snapshots": [], "refs": {},
            "snapshot-log": [], "metadata-log": []}
        self.last = {}
        for key in ("properties", "refs"):
            self.data.setdefault(key, {})
        for key in ("snapshots", "snapshot-log", "metadata-log"):
            self.data.setdefault(key, [])

    def apply(self, update):
        method = getattr(self, "do_" + update["action"].replace("-", "_"), None)
        if method is None:
            raise invalid(f"Cannot convert metadata update to json. Unrecognized action: {update['action']}")
        method(update)

    def add(self, members, id_key, thing):
        taken = [each[id_key] for each in self.data[members]]
        same = [each for each in self.data[members] if {**each, id_key: 0} == {**thing, id_key: 0}]
        if same:  # Not what was added last, unless these updates had added it.
            if self.last.get(members) is not None:
                self.last[members] = same[0][id_key]
            return
        number = thing[id_key]
        if number in taken or number < 0:
            number = max(taken, default=-1) + 1
        self.data[members].append({**thing, id_key: number})
        self.last[members] = number

    def number_of(self, members, number):
        if number != -1:
            return number
        if members not in self.last:
            raise invalid(f"Cannot set last added of {members}: nothing was added")
        return self.last[members]

    def do_assign_uuid(self, update):
        self.data["table-uuid"] = update["uuid"]

    def do_upgrade_format_version(self, update):
        if update["format-version"] < self.data["format-version"] and self.data["schemas"]:
            raise invalid("Cannot downgrade")
        self.data["format-version"] = update["format-version"]

    def do_add_schema(self, update):
        def ids(of):
            if isinstance(of, dict):
                yield from (value for key, value in of.items() if key in ("id", "element-id", "key-id", "value-id"))
                of = list(of.values())
            for each in of if isinstance(of, list) else []:
                yield from ids(each)
        self.add("schemas", "schema-id", {"schema-id": 0, **update["schema"]})
        self.data["last-column-id"] = max([self.data["last-column-id"], *ids(update["schema"]["fields"])])

    def do_set_current_schema(self, update):
        number = self.number_of("schemas", update["schema-id"])
        if number not in [each["schema-id"] for each in self.data["schemas"]]:
            raise invalid(f"Cannot set current schema to unknown schema: {number}")
        self.data["current-schema-id"] = number

    def do_add_spec(self, update):
        self.add("partition-specs", "spec-id", {"spec-id": 0, **update["spec"]})
        self.data["last-partition-id"] = max([self.data["last-partition-id"], *(
            each["field-id"] for each in update["spec"]["fields"])])

    def do_set_default_spec(self, update):
        self.data["default-spec-id"] = self.number_of("partition-specs", update["spec-id"])

    def do_add_sort_order(self, update):
        self.add("sort-orders", "order-id", update["sort-order"])

    def do_set_default_sort_order(self, update):
        self.data["default-sort-order-id"] = self.number_of("sort-orders", update["sort-order-id"])

    def do_set_location(self, update):
        self.data["location"] = update["location"]

    def do_set_properties(self, update):
        self.data["properties"].update(update["updates"])

    def do_remove_properties(self, update):
        for key in update["removals"]:
            self.data["properties"].pop(key, None)

    def do_add_snapshot(self, update):
        snapshot = update["snapshot"]
        if snapshot["snapshot-id"] in [each["snapshot-id"] for each in self.data["snapshots"]]:
            raise invalid(f"Snapshot already exists for id: {snapshot['snapshot-id']}")
        number = snapshot.get("sequence-number", 0)
        if self.data["format-version"] > 1 and number <= self.data["last-sequence-number"] and \
                snapshot.get("parent-snapshot-id") is not None:
            raise Refused(409, "CommitFailedException", f"Cannot add snapshot with sequence number {number} older "
                          f"than last sequence number {self.data['last-sequence-number']}")
        self.data["snapshots"].append(snapshot)
        self.data["last-sequence-number"] = max(self.data["last-sequence-number"], number)
        if self.data["format-version"] > 2:
            self.data["next-row-id"] = self.data.get("next-row-id", 0) + snapshot.get("added-rows", 0)

    def do_remove_snapshots(self, update):
        gone = set(update["snapshot-ids"])
        self.data["snapshots"] = [each for each in self.data["snapshots"] if each["snapshot-id"] not in gone]

    def do_set_snapshot_ref(self, update):
        number = update["snapshot-id"]
        found = [each for each in self.data["snapshots"] if each["snapshot-id"] == number]
        if not found:
            raise invalid(f"Cannot set {update['ref-name']} to unknown snapshot: {number}")
        ref = {key: value for key, value in update.items() if key not in ("action", "ref-name")}
        self.data["refs"][update["ref-name"]] = ref
        if update["ref-name"] == "main":
            self.data["current-snapshot-id"] = number
            self.data["snapshot-log"].append({"snapshot-id": number, "timestamp-ms": found[0]["timestamp-ms"]})

    def do_remove_snapshot_ref(self, update):
        self.data["refs"].pop(update["ref-name"], None)
        if update["ref-name"] == "main":
            self.data["current-snapshot-id"] = -1

    def without(self, members, key, value):
        return [each for each in self.data.get(members, []) if each[key] != value]

    def do_set_statistics(self, update):
        file = update["statistics"]
        self.data["statistics"] = [*self.without("statistics", "snapshot-id", file["snapshot-id"]), file]

    def do_remove_statistics(self, update):
        self.data["statistics"] = self.without("statistics", "snapshot-id", update["snapshot-id"])

    def do_set_partition_statistics(self, update):
        file = update["partition-statistics"]
        self.data["partition-statistics"] = [
            *self.without("partition-statistics", "snapshot-id", file["snapshot-id"]), file]

    def do_remove_partition_statistics(self, update):
        self.data["partition-statistics"] = self.without("partition-statistics", "snapshot-id", update["snapshot-id"])

    def do_add_encryption_key(self, update):
        if self.data["format-version"] < 3:
            raise invalid("Encryption keys need format version 3")
        key = update["encryption-key"]
        self.data["encryption-keys"] = [*self.without("encryption-keys", "key-id", key["key-id"]), key]

    def do_remove_encryption_key(self, update):
        self.data["encryption-keys"] = self.without("encryption-keys", "key-id", update["key-id"])

    def do_remove_partition_specs(self, update):
        self.data["partition-specs"] = [each for each in self.data["partition-specs"]
                                        if each["spec-id"] not in update["spec-ids"]]

    def do_remove_schemas(self, update):
        self.data["schemas"] = [each for each in self.data["schemas"]
                                if each["schema-id"] not in update["schema-ids"]]


def commit(metadata, location, requirements, updates):
    """The metadata after a commit; `location` is the file of what was there before."""
    for requirement in requirements:
        check(requirement, metadata)
    builder = Builder(metadata)
    for update in updates:
        builder.apply(update)
    data = builder.data
    for key, what in (("current-schema-id", "schema"), ("default-spec-id", "spec"),
                      ("default-sort-order-id", "sort order")):
        if data[key] == -1:
            raise Refused(500, "IllegalArgumentException", f"no {what} is set")
    if "location" not in data:
        raise Refused(500, "IllegalArgumentException", "no location is set")
    if data["format-version"] == 1:  # What its first readers want to find.
        [data["schema"]] = [each for each in data["schemas"] if each["schema-id"] == data["current-schema-id"]]
        data["partition-spec"] = [spec["fields"] for spec in data["partition-specs"]
                                  if spec["spec-id"] == data["default-spec-id"]][0]
    else:
        for key in ("schema", "partition-spec"):
            data.pop(key, None)
    data["last-updated-ms"] = max(int(time.time() * 1000), data["last-updated-ms"])
    if metadata is not None and location:
        data["metadata-log"].append({"metadata-file": location, "timestamp-ms": metadata["last-updated-ms"]})
    return data
