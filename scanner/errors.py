"""What can go wrong at the bench, as one small tree.

Every error carries a stable ``code`` (for programs) and a message (for people) that says what happened, where, and
what to do next. A barcode that says something unexpected is never an error here: it is data, judged by the ledger's
rules.

    image-unreadable   the file is no picture, is cut short, or is not in an accepted format
    image-too-large    more bytes or pixels than the limits allow
    file-unreadable    the file cannot be opened
    camera-missing     OpenCV or what it needs is not installed
    camera-unavailable the camera or video file cannot be opened
    line-too-long      a keyboard wedge sent a line longer than any barcode
    source-unknown     a ``--source`` that names nothing we know
    not-enrolled       the home folder holds no enrolment
    already-enrolled   the home folder holds one already
    bench-damaged      a file of the home folder is not as this program left it
    no-container       what was shown as a container names none
    nothing-counted    a count without one package seen, or with a label that could not be read
    not-confirmed      a reset that nobody confirmed
    node-address       not an address a token may be sent to
    node-unreachable   the node does not answer                                               exit status 3
    node-refused       the node answered that it will not; its own code stands in the message
    key-ended          the node takes this bench's token no more: its key was revoked, rotated or suspended
    key-rotated        the bench's key was rotated while this command ran
    still-waiting      what the old key signed is not sent yet: the key stays until it is
    node-answer        the node answered what no node answers
    log-key            a checkpoint by another key or log than the one enrolled with          exit status 4
    log-rolled-back    the node shows fewer entries than it had                               exit status 4
    log-forked         two signed heads of one size                                           exit status 4
    log-rewritten      a later head that does not continue the one seen before                exit status 4
    node-distrusted    one of the three above was found earlier                               exit status 4
"""


class ScannerError(Exception):
    """Base of every error the scanner raises on purpose; `code` is stable, the text is for people."""

    exit_status = 2

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ImageError(ScannerError):
    """A picture that cannot or may not be read."""


class SourceError(ScannerError):
    """A source of scans that cannot be opened or sent what no scanner sends."""


class BenchError(ScannerError):
    """The bench's own folder, or what was asked of it, does not allow this."""


class NodeUnreachable(ScannerError):
    """No answer: says nothing about the package that was scanned."""

    exit_status = 3


class NodeError(ScannerError):
    """The node answered, and not with what was asked for. `status` is the HTTP status, `problem` its code.

    A node that cannot answer now (5xx) is as good as unreachable: exit status 3.
    """

    def __init__(self, code: str, message: str, status: int = 0, problem: str = "") -> None:
        super().__init__(code, message)
        self.status = status
        self.problem = problem
        self.exit_status = 3 if status >= 500 else 2


class TrustError(ScannerError):
    """What the node shows cannot be believed."""

    exit_status = 4
