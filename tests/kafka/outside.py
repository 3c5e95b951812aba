"""What a client that is not ours sees of a cluster: committed records, groups, transactions (confluent-kafka)."""
import confluent_kafka
from confluent_kafka import KafkaError, TopicPartition


def reader(bootstrap, group, **more):
    return confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False,
                                     "isolation.level": "read_committed", "auto.offset.reset": "earliest"} | more)


def partitions_of(consumer, topic):
    found = consumer.list_topics(topic, timeout=30).topics[topic]
    if found.error is not None:
        raise RuntimeError(f"{topic}: {found.error}")
    return sorted(found.partitions)


def read_all(bootstrap, topic):
    """Every committed message of a topic, each partition's in order, up to the end of what is committed now."""
    consumer = reader(bootstrap, "accountant", **{"enable.partition.eof": True})
    try:
        partitions = partitions_of(consumer, topic)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        messages, ended = [], set()
        while len(ended) < len(partitions):
            for message in consumer.consume(10_000, 1.0):
                if message.error() is None:
                    messages.append(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                elif message.error().fatal():
                    raise RuntimeError(str(message.error()))
        return messages
    finally:
        consumer.close()


def behind_open_transactions(bootstrap, topic):
    """partition -> how many offsets stand behind a transaction that has not ended: no reader of committed records gets there."""
    committed, all_of_it = reader(bootstrap, "accountant"), reader(bootstrap, "accountant", **{"isolation.level": "read_uncommitted"})
    try:
        ends = {partition: [each.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1] for each in (committed, all_of_it)]
                for partition in partitions_of(committed, topic)}
    finally:
        committed.close()
        all_of_it.close()
    return {partition: end - stable for partition, (stable, end) in ends.items() if end > stable}


class Lags:
    """Ends of the log minus offsets of groups (group -> topics), as kafka-consumer-groups has them. No member of any group."""

    def __init__(self, bootstrap, groups):
        self.readers = {group: reader(bootstrap, group) for group in groups}
        self.wanted = {group: [TopicPartition(topic, partition) for topic in sorted(groups[group])
                               for partition in partitions_of(self.readers[group], topic)] for group in groups}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.readers.values():
            each.close()

    def standing(self):
        """(group, topic, partition) -> lag, of those whose lag is not 0; None: the group never committed."""
        found = {}
        for group, client in self.readers.items():
            for at in client.committed(self.wanted[group], timeout=30):
                _, end = client.get_watermark_offsets(TopicPartition(at.topic, at.partition), timeout=30)
                if end != at.offset:
                    found[group, at.topic, at.partition] = None if at.offset < 0 else end - at.offset
        return found


def write_and_abort(bootstrap, topic, values):
    """A transaction of another program over every partition of a topic, which ends in an abort."""
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "transactional.id": f"abort-{topic}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in sorted(producer.list_topics(topic, timeout=30).topics[topic].partitions):
        for value in values:
            producer.produce(topic, value, partition=partition)
    producer.flush(30)
    producer.abort_transaction(30)
