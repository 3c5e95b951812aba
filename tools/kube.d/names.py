"""The names of a cluster's services, for its pods and for KEDA: answers A questions on the bridge's address, port 53.

usage: names.py DIR          DIR: the cluster's folder
"""
import pathlib
import socket
import struct
import sys

from cluster import ADDRESS, Cluster

QUESTION, ANSWER, NO_SUCH_NAME = 1, 0x8180, 0x8183
TYPE_A = 1
SECONDS = 2  # how long an answer may be kept


def name_in(question: bytes) -> tuple[list[str], int]:
    """The labels of the name, and where it ends."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode("ascii", "replace").lower())
        at += 1 + question[at]
    return labels, at + 1


def address_of(cluster: Cluster, labels: list[str]) -> str | None:
    """SERVICE.NAMESPACE.svc, also with the cluster's domain behind it."""
    if len(labels) < 3 or labels[2] != "svc" or labels[3:] not in ([], ["cluster", "local"]):
        return None
    service = cluster.get(f"/api/v1/namespaces/{labels[1]}/services/{labels[0]}")
    return service["spec"]["clusterIP"] if service else None


def answer(cluster: Cluster, question: bytes) -> bytes:
    labels, end = name_in(question)
    kind = struct.unpack_from("!H", question, end)[0]
    address = address_of(cluster, labels)
    # A name that is there, asked for another type: no error, and no record.
    found = 1 if address and kind == TYPE_A else 0
    head = question[:2] + struct.pack("!HHHHH", ANSWER if address else NO_SUCH_NAME, QUESTION, found, 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, TYPE_A, 1, SECONDS, 4) + socket.inet_aton(address) if found else b""
    return head + question[12:end + 4] + record


def main() -> None:
    cluster = Cluster(pathlib.Path(sys.argv[1]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((ADDRESS, 53))
        while True:
            question, client = door.recvfrom(4096)
            try:
                door.sendto(answer(cluster, question), client)
            except (IndexError, struct.error):
                continue  # not a question


if __name__ == "__main__":
    main()
