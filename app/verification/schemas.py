"""What an interface to scans takes and answers, as OpenAPI shows it. `answers.answer` makes the answer itself."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from app.verification.service import MOST_RAW
from ledger.errors import LedgerError
from ledger.log.encoding import from_base64
from ledger.log.tree import MAX_SIZE


class Base64Bytes(fields.Field[bytes]):
    """Bytes as RFC 4648 base64, section 4, with padding; at most `most` of them."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:
        if not isinstance(value, str) or len(value) > (self.most + 2) // 3 * 4:
            raise ValidationError(f"takes base64 of at most {self.most} bytes")
        try:
            found = from_base64(value)
        except (LedgerError, ValueError) as error:
            raise ValidationError("takes canonical base64, with padding") from error
        if len(found) > self.most:
            raise ValidationError(f"takes at most {self.most} bytes")
        return found


class ScanBody(Schema):
    """What a scanner read: the bytes as transmitted, not what they look like on a screen."""

    data = Base64Bytes(
        required=True, most=MOST_RAW, metadata={"type": "string", "description": "base64 of the raw bytes"}
    )
    symbology = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"\][A-Za-z][0-9A-Za-z]\Z"),
        metadata={"description": "AIM symbology identifier, such as ]d2"},
    )


class CheckRequest(ScanBody):
    """A scan that wants an answer, and how far the asker knows the ledger."""

    known_size = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, MAX_SIZE),
        metadata={"description": "Size of the last checkpoint that the scanner accepted"},
    )
    evidence = fields.Boolean(
        load_default=True, metadata={"description": "Whether to send the proof that its maker made it"}
    )
    site = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(equal=13),
        metadata={"description": "GLN of the site of yours where it is scanned, where you have several"},
    )


class CheckAnswer(Schema):
    """The verdict, and what lets the scanner judge the node that gives it."""

    id = fields.String()
    at = fields.String(metadata={"format": "date-time"})
    word = fields.String(metadata={"description": "One of the six verdicts"})
    reason = fields.String()
    others = fields.List(fields.String())
    next_step = fields.String()
    offline = fields.Boolean()
    knowledge_age_s = fields.Integer()
    subject = fields.String(allow_none=True, metadata={"description": "Canonical EPC of what was scanned"})
    raw_hex = fields.String()
    label = fields.Dict(metadata={"description": "What the label itself says"})
    product = fields.Dict(allow_none=True)
    record = fields.Dict(
        allow_none=True, metadata={"description": "What the record says, to whom it concerns"}
    )
    contents = fields.Dict(
        allow_none=True, metadata={"description": "What is inside a container, by verdict"}
    )
    licensed = fields.Boolean(allow_none=True)
    maker = fields.Dict(
        allow_none=True, metadata={"description": "What the maker's own node answered, where it was asked"}
    )
    open_cases = fields.List(
        fields.Dict(),
        metadata={"description": "Open cases of yours about it: {id, desk, title}. They block it"},
    )
    near = fields.String(
        allow_none=True,
        metadata={
            "description": "In what alone the serial differs from one that is known: case, Y and Z ..."
        },
    )
    chase = fields.Dict(
        allow_none=True, metadata={"description": "Who can bring what is missing, and by when: {who, by}"}
    )
    latency_ms = fields.Float()
    checkpoint = fields.String(metadata={"description": "The present head, a C2SP signed note"})
    consistency = fields.List(
        fields.String(), metadata={"description": "Base64 hashes from known_size to the checkpoint's size"}
    )
    evidence = fields.String(
        allow_none=True, metadata={"description": "An evidence file (docs/formats/evidence.md)"}
    )


class ContentsQuery(Schema):
    """Which container."""

    epc = fields.String(required=True, validate=validate.Length(1, 2048))


class Child(Schema):
    """One thing directly inside a container."""

    epc = fields.String()
    kind = fields.String(validate=validate.OneOf(("package", "container")))
    count_inside = fields.Integer(metadata={"description": "Packages in it, at any depth; 1 for a package"})


class ContentsAnswer(Schema):
    """What should be in a container, to its holder or whoever gets it."""

    epc = fields.String()
    children = fields.List(fields.Nested(Child))
    packages = fields.Integer(metadata={"description": "Packages in it, at any depth"})


class ShippedAnswer(Schema):
    """What a receiver's statement refers to."""

    epc = fields.String()
    refs = fields.List(
        fields.String(),
        metadata={"description": "Leaf of the entry that tells of the shipping, hex; may be empty"},
    )
