"""Which statements Redshift is known to take: a list of forms, and everything else is refused.

A statement is split into tokens; names in quotes fold to lower case, as Redshift folds them. Words without quotes are allowed only where
a form says so, so that a function or a type that is not in here (unnest, jsonb, RETURNING, ON CONFLICT) can not slip through an expression.
"""
import re


class Refusal(Exception):
    def __init__(self, state: str, message: str):
        super().__init__(message)
        self.state, self.message = state, message


TOKEN = re.compile(r"""\s+ | (?P<str>'(?:[^']|'')*') | (?P<ident>"(?:[^"]|"")*") | (?P<num>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
                   | (?P<word>[A-Za-z_][A-Za-z_0-9$]*) | (?P<op>\|\||<>|<=|>=|!=|::|--|/\*|[(),.;=<>+*/\[\]:$@-])""", re.X)
# Said where somebody would look for the reason; all of them would fail the list of forms as well.
REASONS = [
    (r"\bon conflict\b", "42601", 'syntax error at or near "CONFLICT"'),
    (r"\breturning\b", "42601", 'syntax error at or near "RETURNING"'),
    (r"\bfrom stdin\b", "0A000", "COPY FROM STDIN is not supported"),
    (r"\bwhen (not )?matched and\b", "42601", 'syntax error at or near "AND"'),
    (r"\bcreate (unique )?index\b", "0A000", 'SQL command "CREATE INDEX" not supported on Redshift tables.'),
    (r"\bfor update\b", "0A000", "SELECT FOR UPDATE is not supported"),
    (r"\b(savepoint|release)\b", "0A000", "SQL command \"SAVEPOINT\" not supported."),
    (r"\bunnest\b", "42883", "function unnest does not exist"),
    (r"\b(jsonb|json|bytea|uuid|interval|text)\b", "0A000", "the type is not supported, or is another one here"),
    (r"\b(lock_timeout|idle_in_transaction_session_timeout|synchronous_commit|jit|standard_conforming_strings)\b", "42704",
     "unrecognized configuration parameter"),
    (r"\bpg_advisory\w*|pg_try_advisory\w*", "42883", "advisory locks do not exist"),
    (r"^with\b", "0A000", "WITH in front of a statement that writes is not in the list of forms"),
    (r"^truncate\b", "0A000", "TRUNCATE commits the transaction in which it stands: never here"),
]

I = r"I"
T = r"I(?: \. I)?"
TYPE = (r"(?:boolean|smallint|integer|bigint|real|double precision|date|time|timestamp|timestamptz|super|varchar \( N \)"
        r"|varbyte \( N \)|decimal \( N , N \))")
NAMES = rf"{I}(?: , {I})*"
COLUMN = rf"{I} {TYPE}(?: not null)?"
COLUMNS = rf"{COLUMN}(?: , {COLUMN})*"
WORD = (r"(?:I|S|N|true|false|null|and|or|not|is|chr|json_parse|to_varbyte|count"
        r"|\(|\)|,|\.|=|<|>|<=|>=|<>|\+|-|\*|\|\|)")
EXPRESSION = rf"{WORD}(?: {WORD})*"
EQUALS = rf"{T}(?: \. I)? = {T}(?: \. I)?"
VALUE = r"(?:- )?(?:S|N|null|true|false|chr \( N \))(?: \|\| (?:S|chr \( N \)))*"
SETTING = r"(?:client_encoding|datestyle|timezone|statement_timeout|extra_float_digits)"
SYSTEM = [
    "select column_name , data_type , character_maximum_length , numeric_precision , numeric_scale , is_nullable , column_default from "
    "svv_columns where table_schema = S and table_name = S order by ordinal_position",
    "select table_type from svv_tables where table_schema = S and table_name = S",
    "select t . pid from svv_transactions t , pg_class c , pg_namespace n where c . relnamespace = n . oid and n . nspname = S and "
    "c . relname = S and t . relation = c . oid and t . lock_mode = S and t . granted and t . pid <> pg_backend_pid ( )",
    "select pg_terminate_backend ( N )",
    "select pg_backend_pid ( )",
    "select column_name , error_code , error_message from sys_load_error_detail where session_id = N order by "
    "start_time desc limit N",
    "select N",
    "select N / N",
]
FORMS = {
    "begin": r"begin",
    "commit": r"commit",
    "rollback": r"rollback",
    "lock": rf"lock table (?P<t>{T})",
    "set": rf"set {SETTING} to (?:S|N)",
    "create": rf"create table (?:if not exists )?(?P<t>{T}) \( {COLUMNS}(?: , primary key \( {NAMES} \))? \)"
              rf"(?: diststyle (?:all|even|auto))?(?: distkey \( {I} \))?(?: (?:compound )?sortkey \( {NAMES} \))?",
    "schema": rf"create schema {I}|drop schema {I} cascade",
    "create temp": rf"create temp table (?P<t>{I}) \( {COLUMNS} \)(?: distkey \( {I} \))?",
    "alter": rf"alter table (?P<t>{T}) add column {COLUMN}",
    "drop": rf"drop table (?P<t>{T})",
    "update": rf"update (?P<t>{T}) set {EXPRESSION} where {EXPRESSION}",
    "delete": rf"delete from (?P<t>{T})(?: using (?P<u>{T}))? where {EXPRESSION}",
    "insert values": rf"insert into (?P<t>{T}) \( {NAMES} \) values .*",
    "insert select": rf"insert into (?P<t>{T}) \( {NAMES} \) select {EXPRESSION} from (?P<u>{T})(?: order by {I})?",
    "merge": rf"merge into (?P<t>{T}) using (?P<u>{T}) on {EQUALS}(?: and {EQUALS})* when matched then update set {EXPRESSION} "
             rf"when not matched then insert \( {NAMES} \) values \( {EXPRESSION} \)",
    "merge remove": rf"merge into (?P<t>{T}) using (?P<u>{T}) on {EQUALS}(?: and {EQUALS})* remove duplicates",
    "copy": rf"copy (?P<t>{T})(?: \( {NAMES} \))? from S iam_role (?:S|default) format (?:as )?avro S(?: timeformat S| dateformat S"
            r"| null as S| compupdate off| statupdate off| maxerror N| region S)*",
    "system": "|".join(re.escape(one).replace(r"\ ", " ") for one in SYSTEM),
    "key": re.escape("select pg_get_constraintdef ( p . oid ) from pg_constraint p , pg_class c , pg_namespace n where p . conrelid = c . oid "
                     "and c . relnamespace = n . oid and p . contype = S and n . nspname = S and c . relname = S").replace(r"\ ", " "),
    "guard": rf"select N / case when count \( \* \) = N then N else N end from (?P<u>{T})(?: where {EXPRESSION})?",
    "select": rf"select (?:\*|{EXPRESSION}) from (?P<u>{T})(?: where {EXPRESSION})?(?: order by I(?: desc)?)?(?: limit N)?",
}
FORMS = {name: re.compile(form) for name, form in FORMS.items()}
VALUES = re.compile(rf"\( {VALUE}(?: , {VALUE})* \)(?: , \( {VALUE}(?: , {VALUE})* \))*")


def tokens_of(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise Refusal("42601", f"syntax error at or near {text[at:at + 20]!r}")
        kind, value = found.lastgroup, found[0]
        if kind == "word" and value.lower() in ("e", "b", "x", "u") and text[found.end():found.end() + 1] == "'":
            raise Refusal("42601", "strings of the form E'…' are not used against Redshift")
        if kind == "op" and value in ("--", "/*", "::", "[", "]", "$", "@"):
            raise Refusal("42601", f'syntax error at or near "{value}"')
        if kind == "str" and "\\" in value:
            raise Refusal("22025", "a backslash in a literal means one thing or another, by the server's settings: use CHR(92)")
        if kind == "word":
            value = value.lower()
        if kind:
            tokens.append((kind, value))
        at = found.end()
    return tokens


def split(text: str) -> list[list[tuple[str, str]]]:
    """The statements of a query."""
    statements: list[list[tuple[str, str]]] = [[]]
    for token in tokens_of(text):
        if token == ("op", ";"):
            statements.append([])
        else:
            statements[-1].append(token)
    return [one for one in statements if one]


def shape_of(tokens) -> str:
    short = {"str": "S", "ident": "I", "num": "N"}
    return " ".join(short.get(kind, value) for kind, value in tokens)


def name_of(token: str) -> str:
    """An identifier without its quotes, folded."""
    return token[1:-1].replace('""', '"').lower()


def text_of(token: str) -> str:
    return token[1:-1].replace("''", "'")


class Statement:
    """A statement of one of the forms: `kind`, `target` and `source` (names as tuples), `tokens`."""

    def __init__(self, tokens, no_values=False):
        self.tokens, self.shape = tokens, shape_of(tokens)
        # The one long form is looked at from its end.
        at = next((i for i, token in enumerate(tokens) if token == ("word", "values")), None)
        for kind, form in FORMS.items():
            found = form.fullmatch(self.shape)
            if found:
                break
        else:
            for reason, state, message in REASONS:
                if re.search(reason, self.shape):
                    raise Refusal(state, message)
            raise Refusal("0A000", f"not in the list of forms: {self.shape[:300]}")
        if kind == "insert values" and not no_values and not VALUES.fullmatch(shape_of(tokens[at + 1:])):
            raise Refusal("42601", "VALUES takes constants")
        self.kind = kind
        self.target = self.named(found.groupdict().get("t"), first=True)
        self.source = self.named(found.groupdict().get("u"), first=False)

    def named(self, shape, first):
        """The table after INTO, UPDATE, TABLE, FROM …, or the one after USING or the last FROM."""
        if not shape:
            return None
        words = [i for i, (kind, value) in enumerate(self.tokens) if kind == "word"]
        if first:
            at = next(i for i in words if self.tokens[i + 1][0] == "ident")
        else:
            using = [i for i in words if self.tokens[i][1] == "using"]
            at = using[0] if using else [i for i in words if self.tokens[i][1] == "from" and self.tokens[i + 1][0] == "ident"][-1]
        parts = [name_of(self.tokens[at + 1][1])]
        if self.tokens[at + 2:at + 3] == [("op", ".")]:
            parts.append(name_of(self.tokens[at + 3][1]))
        return tuple(parts)

    def text(self, tokens=None) -> str:
        """As PostgreSQL is to read it: names folded."""
        return " ".join('"' + name_of(value).replace('"', '""') + '"' if kind == "ident" else value
                        for kind, value in (self.tokens if tokens is None else tokens))
