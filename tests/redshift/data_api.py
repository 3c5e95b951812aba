"""The Data API in front of the double: a batch is one transaction, in a session that ends with it.

`run(port, sqls)` is what RedshiftHttp calls. The database's connection is the double's own, so that all its rules hold here too.
"""
import struct

from redshift_http import DatabaseError
from wire import Client, fields_of, row_of

KINDS = {16: lambda text: text == "t", 20: int, 21: int, 23: int, 700: float, 701: float}


class DataSession(Client):
    def statement(self, sql):
        """(rows, True), or (the number that was changed, False)."""
        self.socket.sendall(b"Q" + struct.pack("!I", len(sql.encode()) + 5) + sql.encode() + b"\0")
        kinds, rows, changed, error = None, [], 0, None
        while True:
            kind, body = self.message()
            if kind == b"T":
                kinds = kinds_of(body)
            elif kind == b"D":
                rows.append([None if cell is None else KINDS.get(of, str)(cell) for of, cell in zip(kinds, row_of(body))])
            elif kind == b"C":
                last = body.rstrip(b"\0").split()[-1:]
                changed = int(last[0]) if last and last[0].isdigit() else -1
            elif kind == b"E":
                error = fields_of(body)
            elif kind == b"Z":
                if error:
                    raise DatabaseError(f"{error.get('S', 'ERROR')}: {error['M']}")
                return (changed, False) if kinds is None else (rows, True)


def kinds_of(body):
    count, at, kinds = struct.unpack_from("!H", body)[0], 2, []
    for _ in range(count):
        at = body.index(b"\0", at) + 1
        kinds.append(struct.unpack_from("!IHI", body, at)[2])
        at += 18
    return kinds


def run(port, sqls):
    session = DataSession(port)
    try:
        if len(sqls) > 1:
            session.statement("BEGIN")
        results = []
        for number, sql in enumerate(sqls, 1):
            try:
                results.append(session.statement(sql))
            except DatabaseError as error:
                raise DatabaseError(str(error), number) from error
        if len(sqls) > 1:
            session.statement("COMMIT")
        return results
    except ConnectionError as error:
        raise DatabaseError(f"ERROR: the connection to the database is gone: {error}") from error
    finally:
        session.close()
