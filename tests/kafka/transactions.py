"""Was every transaction visible whole or not at all? Read from the brokers' own log files, markers included.

A sink's transaction holds rows of <pipeline>.positions: up to where it has read each input partition, and how many records it has
written to each topic so far. So the records that stem from those inputs must have been committed by the same producer, not before
the rows were written, and be that many. What is not so is torn.
"""
import bisect
import collections
import dataclasses
import pathlib
import struct

HEAD = struct.Struct(">qiibIhiqqqhii")
TRANSACTIONAL, CONTROL, CODEC = 0x10, 0x20, 0x07


@dataclasses.dataclass
class Span:
    """What one transaction has in one partition."""
    producer: int
    began: int  # the time of its first record, in milliseconds
    batches: list
    marked: int = 0  # when its marker was written
    committed: bool = False

    def records(self):
        for attributes, count, data in self.batches:
            if attributes & CODEC:
                raise RuntimeError("a compressed batch")
            yield from records_of(data, count)


def batches_of(folder):
    for segment in sorted(pathlib.Path(folder).glob("*.log")):
        data, at = segment.read_bytes(), 0
        while at + HEAD.size <= len(data):
            head = HEAD.unpack_from(data, at)
            size = 12 + head[1]
            if head[1] <= 0 or at + size > len(data):
                break  # space that is not written yet
            yield head, data[at + HEAD.size:at + size]
            at += size


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def records_of(data, count):
    """(key, value) of a batch that is not compressed."""
    at = 0
    for _ in range(count):
        size, at = varint(data, at)
        end = at + size
        at += 1
        _, at = varint(data, at)
        _, at = varint(data, at)
        fields = []
        for _ in range(2):
            size, at = varint(data, at)
            fields.append(None if size < 0 else data[at:at + size])
            at += max(size, 0)
        yield tuple(fields)
        at = end


def spans_of(folder):
    """In the order in which they ended; what is still open is left out, and so is what is in no transaction."""
    opened = {}
    for (_, _, _, magic, _, attributes, _, first, _, producer, _, _, count), data in batches_of(folder):
        if magic != 2 or not attributes & TRANSACTIONAL:
            continue
        if not attributes & CONTROL:
            span = opened.setdefault(producer, Span(producer, first, []))
            span.batches.append((attributes, count, data))
            continue
        if span := opened.pop(producer, None):
            key, _ = next(records_of(data, count))
            span.marked, span.committed = first, struct.unpack(">hh", key[:4])[1] == 1
            yield span


def folders_of(cluster, topic):
    """Partition by partition; of each the replica that has most."""
    found = {}
    for folder in pathlib.Path(cluster).glob(f"*/data/{topic}-*"):
        size = sum(segment.stat().st_size for segment in folder.glob("*.log"))
        if folder.name[len(topic) + 1:].isdigit():
            found[folder.name] = max(found.get(folder.name, (0, folder)), (size, folder))
    return [found[name][1] for name in sorted(found)]


def fates_of(value):
    """topic -> how many records were written to it so far; "dead" for dead letters."""
    words = dict(word.split("=", 1) for word in value.decode().split(" "))
    counts = {name.removeprefix("out."): int(count) for name, count in words.items() if name.startswith("out.")}
    return collections.Counter(counts | {"dead": int(words.get("dead", 0))})


class Rows:
    """The committed rows of positions, by group and input partition."""

    def __init__(self, cluster, pipeline, outputs):
        self.ends, self.spans, self.ended = {}, [], 0
        former = collections.defaultdict(collections.Counter)
        for span in spans_of(folders_of(cluster, f"{pipeline}.positions")[0]):
            self.ended += 1
            if not span.committed:
                continue
            span.told, span.found = collections.Counter(), collections.Counter()
            self.spans.append(span)
            for key, value in span.records():
                partition, group, _ = key.decode().split("\t")
                if group in outputs:
                    now = fates_of(value)
                    topic, dead = outputs[group]
                    span.told += collections.Counter({topic: now[topic] - former[key][topic], dead: now["dead"] - former[key]["dead"]})
                    former[key] = now
                    next_offset = int(value.split(b" ")[0].removeprefix(b"next="))
                    self.ends.setdefault((group, int(partition)), []).append((next_offset, span))

    def of(self, group, partition, offset):
        """The transaction that has read this input, or None."""
        ends = self.ends.get((group, partition), [])
        at = bisect.bisect_right(ends, offset, key=lambda end: end[0])
        return ends[at][1] if at < len(ends) else None


def torn(cluster, pipeline, outputs, origin):
    """Texts, and how many transactions there were. `outputs`: group -> (topic of its records, of its dead letters);
    `origin(topic, value)` is the (partition, offset) of the input that a record stems from."""
    rows = Rows(cluster, pipeline, outputs)
    problems = []
    for group, topics in outputs.items():
        for topic, folder in [(topic, folder) for topic in topics for folder in folders_of(cluster, topic)]:
            for span in spans_of(folder):
                if not span.committed:
                    continue
                strange = 0
                for _, value in span.records():
                    whole = rows.of(group, *origin(topic, value))
                    if whole is None or whole.producer != span.producer or whole.began > span.marked:
                        strange += 1
                    else:
                        whole.found[topic] += 1
                if strange:
                    problems.append(f"torn: {strange} records of {folder.name} were committed without their positions")
    for span in rows.spans:
        if span.told != span.found:
            problems.append(f"torn: a transaction tells of {dict(span.told)} and has {dict(span.found)}")
    return problems, {"transactions": rows.ended, "whole": len(rows.spans), "aborted": rows.ended - len(rows.spans)}
