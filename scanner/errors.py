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
"""


class ScannerError(Exception):
    """Base of every error the scanner raises on purpose; `code` is stable, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ImageError(ScannerError):
    """A picture that cannot or may not be read."""


class SourceError(ScannerError):
    """A source of scans that cannot be opened or sent what no scanner sends."""
