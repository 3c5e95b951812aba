"""COPY … FORMAT AVRO 'auto': containers under a prefix of S3, as rows in the text that PostgreSQL's COPY reads.

What AWS says is kept to ("Data format parameters", AVRO): fields meet columns by name, with case; a column without a field is null; bytes and
nested values arrive as JSON text; a header of at most 1 MB, blocks of at most 4 MB. VARCHAR counts bytes; nothing is cut.
"""
import io
import json
import pathlib
import re

import fastavro

MAX_HEADER, MAX_BLOCK = 1 << 20, 4 << 20
WHOLE = {"smallint": 1 << 15, "integer": 1 << 31, "bigint": 1 << 63}
DAY = r"\d{4}-\d{2}-\d{2}"
CLOCK = r"\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?"
TIMES = {"date": re.compile(DAY), "time": re.compile(CLOCK), "timestamp": re.compile(rf"{DAY}[ T]{CLOCK}"),
         "timestamptz": re.compile(rf"{DAY}[ T]{CLOCK}(?:Z|[+-]\d{{2}}(?::?\d{{2}})?)")}
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class LoadError(Exception):
    """A whole COPY that fails; `rows` of the system table: (file, line, column, type, code, message)."""

    def __init__(self, message: str, rows=()):
        super().__init__(message)
        self.message, self.rows = message, list(rows)


class BadValue(Exception):
    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code, self.message = code, message


class FolderS3:
    """Buckets as folders, for tests without an S3."""

    def __init__(self, folder: str):
        self.folder = pathlib.Path(folder)

    def keys(self, bucket: str, prefix: str):
        root = self.folder / bucket
        return sorted(key for key in (str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) if key.startswith(prefix))

    def get(self, bucket: str, key: str) -> bytes:
        return (self.folder / bucket / key).read_bytes()


def converter(kind: str, limit: int, scale: int, null: str):
    """From a decoded value of Avro to a cell; raises BadValue."""
    def whole(value):
        if type(value) is not int:
            raise BadValue(1207, f"Invalid digit, Value {str(value)[:20]!r}, Type: {kind}")
        if not -WHOLE[kind] <= value < WHOLE[kind]:
            raise BadValue(1207, f"Overflow for {kind}")
        return str(value)

    def real(value):
        if type(value) not in (int, float):
            raise BadValue(1207, f"Invalid digit, Value {str(value)[:20]!r}, Type: {kind}")
        return repr(value)

    def truth(value):
        if type(value) is not bool:
            raise BadValue(1210, "Unknown boolean format")
        return "t" if value else "f"

    def text(value):
        if type(value) is not str:
            value = json.dumps(value, default=lambda some: some.decode("latin-1"))
        if value == null:
            return "\\N"
        if len(value) > limit or (not value.isascii() and len(value.encode()) > limit):
            raise BadValue(1204, "String length exceeds DDL length")
        if "\0" in value:
            raise BadValue(1213, "Missing newline: unexpected character 0x0")
        return value.translate(ESCAPES)

    def time(value):
        if type(value) is not str:
            raise BadValue(1206, f"Invalid {kind} format or value: {value!r}")
        if not value.strip() or value == null:
            return "\\N"
        if not TIMES[kind].fullmatch(value):
            raise BadValue(1206, f"Invalid {kind} format or value [{value[:40]}]")
        return value

    def decimal(value):
        if type(value) not in (str, int) or not (found := re.fullmatch(r"-?(\d+)(?:\.(\d+))?", str(value))):
            raise BadValue(1207, f"Invalid digit, Value {str(value)[:20]!r}, Type: decimal")
        if len(found[1].lstrip("0")) > limit - scale:
            raise BadValue(1207, "Overflow for decimal")
        return str(value)

    if kind in WHOLE:
        return whole
    if kind in TIMES:
        return time
    return {"boolean": truth, "real": real, "double precision": real, "decimal": decimal, "varchar": text}.get(kind)


def option(shape: str, texts: list[str], name: str):
    """The text after `name` in the statement's options."""
    before = shape.split(f" {name} S")[0]
    return texts[before.count("S")] if f" {name} S" in shape else None


def load(s3, statement, columns, refuse):
    """(lines, bad): lines for COPY FROM STDIN, and the rows of the system table. `columns`: name -> (type, length, scale, nullable), all
    that the statement loads; `refuse`: (column, limit), whose larger numbers are bad on purpose."""
    texts = [value[1:-1].replace("''", "'") for kind, value in statement.tokens if kind == "str"]
    shape = statement.shape
    url, mode = texts[0], option(shape, texts, "avro")
    if not url.startswith("s3://") or mode != "auto":
        raise LoadError(f"the double loads s3:// and FORMAT AVRO 'auto' only, not {url} {mode}")
    null = option(shape, texts, "null as") or "\\N"
    most = re.search(r"maxerror N", shape)
    most = int([value for kind, value in statement.tokens if kind == "num"][-1]) if most else 1
    bucket, _, prefix = url[5:].partition("/")
    keys = s3.keys(bucket, prefix)
    if not keys:
        raise LoadError(f"The specified S3 prefix '{prefix}' does not exist")
    makers = [(name, converter(kind, length, scale, null), nullable, kind) for name, (kind, length, scale, nullable) in columns.items()]
    lines, bad = [], []
    for key in keys:
        data = s3.get(bucket, key)
        number = 0
        try:
            blocks = fastavro.block_reader(io.BytesIO(data))
        except Exception as error:
            raise LoadError(f"Invalid AVRO file: {error}") from error
        if blocks.writer_schema.get("type") != "record" or data.find(blocks._header["sync"]) + 16 > MAX_HEADER:
            raise LoadError("Invalid AVRO file: the schema is no record, or the header has more than 1 MB")
        for block in blocks:
            if block.bytes_.getbuffer().nbytes > MAX_BLOCK:
                raise LoadError("Avro data block exceeds 4 MB")
            for record in block:
                number += 1
                cells = []
                try:
                    for name, make, nullable, kind in makers:
                        value = record.get(name)
                        cell = "\\N" if value is None else make(value)
                        if cell == "\\N" and not nullable:
                            raise BadValue(1213, "Missing data for not-null field")
                        if refuse and name == refuse[0] and value is not None and value > refuse[1]:
                            raise BadValue(1207, "refused on purpose")
                        cells.append(cell)
                except BadValue as error:
                    bad.append((f"s3://{bucket}/{key}", number, name, kind, error.code, error.message))
                    if len(bad) >= most:
                        raise LoadError("failed", bad) from None
                    continue
                lines.append("\t".join(cells))
    return lines, bad
