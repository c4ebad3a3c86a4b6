"""Objects that go to S3 in parts: what is sent, what is completed, and what is left behind when it fails.

Parts are 8 MiB, and an object of up to two of them goes in one request. Called by object_storage.py, which has the server
and the proxy."""

import json
import random
import re
import string
import urllib.parse

import boto3
from deltalake import DeltaTable

from interchange import ordered, spark_schema

PART = 8 << 20
FIELDS = [("id", "long"), ("text", "string")]
ALPHABET = string.ascii_letters + string.digits + "+/"
# What happens to one request of an upload, once; the upload has to end well all the same.
STEPS = {
    "beginning": ("POST", r"[?&]uploads"), "part": ("PUT", r"[?&]partNumber=2&"), "completion": ("POST", r"[?&]uploadId="),
}
KINDS = ["refused", "lost-answer", "failed-after"]


def large_rows(seed, first, count):
    """A mebibyte of text each, which compresses by a quarter."""
    chance = random.Random(f"{seed} {first}")
    return [{"id": first + number, "text": "".join(chance.choices(ALPHABET, k=1 << 20))} for number in range(count)]


class Uploads:
    """What passed the proxy of one upload, and what the server has."""

    def __init__(self, faults, direct, bucket):
        self.faults, self.bucket = faults, bucket
        self.client = boto3.client("s3", endpoint_url=direct, region_name="us-east-1")

    def begin(self):
        self.faults.seen = []

    def requests(self):
        """(method, path, query, body) of what asked for an upload in parts."""
        found = []
        for method, address, body in self.faults.seen:
            parts = urllib.parse.urlsplit(address)
            query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
            if "uploads" in query or "uploadId" in query:
                found.append((method, urllib.parse.unquote(parts.path), query, body))
        return found

    def open(self):
        """Uploads that are neither completed nor aborted."""
        return [upload["UploadId"] for upload in self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]

    def content(self, path):
        key = path.removeprefix(f"/{self.bucket}/")
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def exists(self, path):
        key = path.removeprefix(f"/{self.bucket}/")
        return self.client.list_objects_v2(Bucket=self.bucket, Prefix=key)["KeyCount"] > 0


def check_object(checks, what, uploads):
    """The object is its parts, byte for byte."""
    requests = uploads.requests()
    completed = [(path, query["uploadId"]) for method, path, query, _ in requests if method == "POST" and "uploadId" in query]
    checks.true(f"{what}: completed", completed)
    path, upload = completed[-1]
    parts = {int(query["partNumber"]): body for method, _, query, body in requests
             if method == "PUT" and query["uploadId"] == upload}
    checks.equal(f"{what}: numbers of its parts", sorted(parts), list(range(1, len(parts) + 1)))
    sizes = [len(parts[number]) for number in sorted(parts)]
    checks.true(f"{what}: all parts but the last are full, {sizes}", all(size == PART for size in sizes[:-1]) and len(sizes) > 2)
    content = uploads.content(path)
    checks.true(f"{what}: the object is its parts", content == b"".join(parts[number] for number in sorted(parts)))
    checks.true(f"{what}: it is a Parquet file", content[:4] == content[-4:] == b"PAR1")


def sizes_of_files(tool, name, uploads):
    prefix = f"some/{name}/"
    listing = uploads.client.list_objects_v2(Bucket=uploads.bucket, Prefix=prefix).get("Contents", [])
    return {entry["Key"]: entry["Size"] for entry in listing if entry["Key"].endswith(".parquet")}


def large_objects(checks, tool, faults, direct, bucket, keys, seed):
    """One object in one request, one in parts, and one in parts for each fault at each step."""
    uploads = Uploads(faults, direct, bucket)
    faults.shares = {}
    name = "large"
    tool.run("create", name, "--schema", spark_schema(FIELDS))
    small = large_rows(seed, 0, 12)
    uploads.begin()
    tool.run("append", name, rows=small)
    checks.equal("a file below two parts goes in one request", uploads.requests(), [])
    large = large_rows(seed, 100, 24)
    uploads.begin()
    tool.run("append", name, rows=large)
    check_object(checks, "a large file", uploads)
    for step, (method, pattern) in STEPS.items():
        for kind in KINDS:
            what = f"multipart, {kind} at the {step}"
            uploads.begin()
            again = len(faults.planned_done)
            faults.planned = [(method, re.compile(pattern), kind, 1)]
            again_name = f"{name}-{step}-{kind}"
            tool.run("create", again_name, "--schema", spark_schema(FIELDS))
            tool.run("append", again_name, rows=large)
            checks.equal(f"{what}: it happened", len(faults.planned_done) - again, 1)
            check_object(checks, what, uploads)
    faults.planned = []
    expected = ordered(small + large)
    found = tool.rows(name)
    checks.true("large files: rows by headrace", found == expected)
    storage = {**keys, "AWS_ENDPOINT_URL": direct, "AWS_ALLOW_HTTP": "true"}
    rows = DeltaTable(f"s3://{bucket}/some/{name}", storage_options=storage).to_pyarrow_table().to_pylist()
    checks.true("large files: rows by delta-rs", ordered(rows) == expected)
    failures(checks, tool, faults, uploads, name, expected, large_rows(seed, 200, 24))


def failures(checks, tool, faults, uploads, name, expected, rows):
    """What cannot be uploaded is aborted: no commit, no object, no parts that cost money, and the next attempt is as good."""
    ways = {
        "a part is denied": ("PUT", r"[?&]partNumber=2&", "denied"),
        "the completion is denied": ("POST", r"[?&]uploadId=", "denied"),
        "a success that is a failure": ("POST", r"[?&]uploadId=", "false-success"),
    }
    version = tool.describe(name)["version"]
    for what, (method, pattern, kind) in ways.items():
        before = set(uploads.open())
        files = sizes_of_files(tool, name, uploads)
        uploads.begin()
        faults.planned = [(method, re.compile(pattern), kind, 1_000)]
        try:
            tool.run("append", name, rows=rows)
            message = ""
        except RuntimeError as error:
            message = str(error)
        faults.planned = []
        checks.true(f"{what}: the append fails and says why, {message[:200]}", "S3_" in message)
        requests = uploads.requests()
        path = requests[0][1]
        checks.equal(
            f"{what}: aborted", [query for method, _, query, _ in requests if method == "DELETE"],
            [{"uploadId": requests[-1][2]["uploadId"]}])
        checks.equal(f"{what}: no upload stays open", set(uploads.open()) - before, set())
        checks.true(f"{what}: no object", not uploads.exists(path))
        checks.equal(f"{what}: no file more", sizes_of_files(tool, name, uploads), files)
        checks.equal(f"{what}: no commit", tool.describe(name)["version"], version)
    checks.true("after failures: the rows are those of before", tool.rows(name) == expected)
    tool.run("append", name, rows=rows)
    checks.true("after failures: an append goes through", json.loads(tool.run("describe", name))["version"] == version + 1)
    checks.true("after failures: all rows", tool.rows(name) == ordered(expected + rows))
