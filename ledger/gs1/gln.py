"""Global Location Number: which party or place. 13 digits: company prefix, reference, check digit::

0399999000017
"""

from dataclasses import dataclass

from ledger.gs1.check_digit import require_key


@dataclass(frozen=True, slots=True, order=True)
class Gln:
    """A GLN with a valid check digit (GS1 General Specifications, section 3.4).

    Raises:
        Gs1Error: ``empty``, ``charset``, ``length`` or ``check_digit``.
    """

    digits: str

    def __post_init__(self) -> None:
        require_key(self.digits, 13, "GLN")

    @classmethod
    def parse(cls, text: str) -> "Gln":
        """Read 13 digits; the same as the constructor, named as everywhere else."""
        return cls(text)

    def __str__(self) -> str:
        return self.digits
