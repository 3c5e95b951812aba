"""A small judge of IAM policies: written from IAM's published rules, without a line of what derives the policies.

    allowed(document, "kafka-cluster:ReadData", arn, {"dynamodb:LeadingKeys": ["p/s/…"]})

Knows what the policies here may use and refuses anything else: Allow and Deny; Action and Resource with * and ?; conditions by
StringEquals, StringLike and their ForAllValues form.
"""
import re

KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}


def as_list(value):
    return value if isinstance(value, list) else [value]


def matches(pattern, value, any_case=False):
    """* is any run of characters, ? is one; nothing else is special."""
    text = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(text, value, re.S | (re.I if any_case else 0)) is not None


def holds(condition, context):
    """Every operator, every key; of a key's values any."""
    for operator, keys in condition.items():
        every = operator.startswith("ForAllValues:")
        plain = operator.removeprefix("ForAllValues:")
        if plain not in ("StringEquals", "StringLike"):
            raise ValueError(f"the judge does not know the operator {operator}")
        for key, patterns in keys.items():
            fits = [any(matches(p, v) if plain == "StringLike" else p == v for p in as_list(patterns)) for v in as_list(context.get(key, []))]
            # A key that the request has not: true of all its values, and of none of them.
            if not all(fits) or (not every and not fits):
                return False
    return True


def statements(document):
    for statement in as_list(document["Statement"]):
        if unknown := set(statement) - KNOWN:
            raise ValueError(f"the judge does not know {unknown}")
        yield statement


def applies(statement, action, resource, context):
    return (any(matches(p, action, any_case=True) for p in as_list(statement["Action"]))
            and any(matches(p, resource) for p in as_list(statement["Resource"]))
            and holds(statement.get("Condition", {}), context))


def allowed(document, action, resource, context=None):
    effects = {s["Effect"] for s in statements(document) if applies(s, action, resource, context or {})}
    return effects == {"Allow"}


def may_assume(document, action, principal, context):
    """Of a trust document: principal is ("Federated" or "Service", value)."""
    kind, value = principal
    effects = {s["Effect"] for s in statements(document)
               if action in as_list(s["Action"]) and value in as_list(s["Principal"].get(kind, [])) and holds(s.get("Condition", {}), context)}
    return effects == {"Allow"}
