"""Suspect or illegitimate, and what may follow: the law's state machine as one table, its clocks and its samples. Pure.

    suspect -> investigating -> cleared
                             -> illegitimate -> notified -> dispositioned -> termination requested -> terminated

FD&C Act 582(b)(4), (c)(4), (d)(4), (e)(4). *Suspect* is reason to believe, *illegitimate* is credible evidence: the 24
hours run from that determination, never from the suspicion (docs/decisions/0053).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.errors import Conflict, Invalid, Refused
from app.shared.actor import Role
from ledger.custody.vocabulary import Action

NOTIFY_WITHIN = timedelta(hours=24)
"""From the determination to the notification of FDA and partners, FD&C Act 582(b)(4)(B)(ii), (c), (d), (e) alike; and
from a manufacturer's finding of a high risk, 582(b)(4)(B)(ii)(II)."""
INVESTIGATE_WITHIN = timedelta(days=3)
"""'Promptly', says the law; how soon that is is this node's own."""
DISPOSE_WITHIN = timedelta(days=30)

SMALLEST_SAMPLE = 3


class State(StrEnum):
    """Where an investigation is."""

    SUSPECT = "suspect"
    INVESTIGATING = "investigating"
    CLEARED = "cleared"
    ILLEGITIMATE = "illegitimate"
    NOTIFIED = "notified"
    DISPOSITIONED = "dispositioned"
    TERMINATION_REQUESTED = "termination_requested"
    TERMINATED = "terminated"


ENDS = frozenset({State.CLEARED, State.TERMINATED})


class Ground(StrEnum):
    """Why a product is suspect (FD&C Act 581(21)); the same words classify it on Form FDA 3911."""

    COUNTERFEIT = "counterfeit"
    DIVERTED = "diverted"
    STOLEN = "stolen"
    ADULTERATED = "adulterated"
    FRAUDULENT = "fraudulent"
    UNFIT = "unfit"


GROUNDS: dict[Ground, str] = {
    Ground.COUNTERFEIT: "Potentially counterfeit",
    Ground.DIVERTED: "Potentially diverted",
    Ground.STOLEN: "Potentially stolen",
    Ground.ADULTERATED: "Potentially adulterated on purpose, so that it would harm",
    Ground.FRAUDULENT: "Potentially the subject of a fraudulent transaction",
    Ground.UNFIT: "Otherwise unfit for distribution, so that it would harm",
}


CAUSES = {
    "nothing_here": "Nothing of it is here",
    "set_apart": "It is set apart, and an investigation is open",
    "other": "Another",
}
"""How a partner's notification is answered."""


class Move(StrEnum):
    """What somebody may do to an investigation."""

    INVESTIGATE = "investigate"
    CLEAR = "clear"
    DETERMINE = "determine"
    NOTIFY = "notify"
    DISPOSE = "dispose"
    REQUEST_TERMINATION = "request_termination"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class Deed:
    """The event that a move is recorded by: its business step, disposition and action (CBV 2.0)."""

    step: str
    disposition: str
    action: Action = Action.OBSERVE


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the state machine. `needs` names what must be given (app.investigations.service.Given).

    `within`: how long the next state may last; `deed`: None where nothing happens to the packages themselves.
    """

    move: Move
    source: State
    target: State
    name: str
    roles: frozenset[Role]
    needs: tuple[str, ...]
    deed: Deed | None = None
    within: timedelta | None = None


# A company's own system acts for whoever decides there: its token has the scope `desks`, its name stands in the case.
DECIDING = frozenset({Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER, Role.PARTNER_SYSTEM})
SUSPECTING = DECIDING | {Role.WAREHOUSE}

QUARANTINE = Deed("holding", "non_sellable_other")

TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        Move.INVESTIGATE,
        State.SUSPECT,
        State.INVESTIGATING,
        "Begin the investigation",
        SUSPECTING,
        (),
        Deed("inspecting", "non_sellable_other"),
        INVESTIGATE_WITHIN,
    ),
    Transition(
        Move.CLEAR,
        State.INVESTIGATING,
        State.CLEARED,
        "It is not illegitimate: clear it",
        DECIDING,
        ("text", "sample", "agreement"),
        Deed("inspecting", "sellable_accessible"),
    ),
    Transition(
        Move.DETERMINE,
        State.INVESTIGATING,
        State.ILLEGITIMATE,
        "There is credible evidence: it is illegitimate",
        DECIDING,
        ("text", "maker_consulted"),
        QUARANTINE,
        NOTIFY_WITHIN,
    ),
    Transition(
        Move.NOTIFY,
        State.ILLEGITIMATE,
        State.NOTIFIED,
        "FDA and partners are notified",
        DECIDING,
        ("form",),
        None,
        DISPOSE_WITHIN,
    ),
    Transition(
        Move.DISPOSE,
        State.NOTIFIED,
        State.DISPOSITIONED,
        "It is destroyed, but for what is kept as a sample",
        DECIDING,
        ("text",),
        Deed("destroying", "destroyed", Action.DELETE),
    ),
    Transition(
        Move.REQUEST_TERMINATION,
        State.DISPOSITIONED,
        State.TERMINATION_REQUESTED,
        "Ask FDA to terminate the notification",
        DECIDING,
        ("form",),
    ),
    Transition(
        Move.TERMINATE,
        State.TERMINATION_REQUESTED,
        State.TERMINATED,
        "FDA was consulted: terminate, and tell the partners",
        DECIDING,
        ("text",),
    ),
)


def transition(move: Move) -> Transition:
    """The row of a move."""
    return next(row for row in TRANSITIONS if row.move is move)


def open_to(state: State, role: Role) -> list[Transition]:
    """What somebody in `role` may do to an investigation in `state`."""
    return [row for row in TRANSITIONS if row.source is state and role in row.roles]


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with a move. `inspected` and `needed`: units of the sample; `differ`: of those; `problems`: of the
    form for this step.

    `maker_consulted`: who of the manufacturer was spoken to; not asked of the manufacturer itself.
    """

    text: str = ""
    maker_consulted: str = ""
    is_maker: bool = False
    inspected: int = 0
    needed: int = 0
    differ: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)
    has_form: bool = False


def require(move: Move, state: State, role: Role, given: Given) -> Transition:
    """The transition, where it may be made now.

    Raises `Conflict` for another state, `Refused` for a role that may not decide it, `Invalid` for what is missing.
    """
    row = transition(move)
    if state is not row.source:
        raise Conflict(
            "investigation.state",
            "That is not the next step",
            f"It is {said(state)}; this step follows {said(row.source)}.",
            "Look at the case again.",
        )
    if role not in row.roles:
        raise Refused(
            "investigation.role",
            "You may not decide this",
            f"Your role, {role.value}, does not include it.",
            "Ask quality.",
        )
    for need in row.needs:
        if problem := _lacks(need, given):
            raise Invalid("investigation.needs", problem[0], problem[1], problem[2])
    return row


def _lacks(need: str, given: Given) -> tuple[str, str, str] | None:
    if need == "text" and not given.text.strip():
        return "Say why", "This decision needs its reasons in words.", "Write what was found."
    if need == "sample" and given.inspected < given.needed:
        return (
            "The sample is not complete",
            f"{given.inspected} of {given.needed} packages were inspected.",
            "Scan the others first.",
        )
    if need == "agreement" and given.differ:
        return (
            "What differs is not cleared",
            f"{given.differ} of the inspected packages differ from the record, and clearing makes all of it sellable.",
            "Scan them again if they were misread; else determine it with the manufacturer.",
        )
    if need == "maker_consulted" and not given.is_maker and not given.maker_consulted.strip():
        return (
            "Consult the manufacturer first",
            "Illegitimate is determined in coordination with the manufacturer (FD&C Act 582(c)(4)(A), (d)(4)(A)).",
            "Say whom you spoke to, and when.",
        )
    if need == "form" and not given.has_form:
        return "The form is missing", "No Form FDA 3911 of this step was made.", "Fill it in first."
    if need == "form" and given.problems:
        return "The form is not complete", "; ".join(given.problems.values()), "Fill in what is missing."
    return None


def due(move: Move, now: datetime) -> datetime | None:
    """By when the state after `move` has to end; None where no clock runs."""
    within = transition(move).within
    return now + within if within is not None else None


def sample_size(packages: int, *, is_dispenser: bool) -> int:
    """How many packages have to be inspected before suspect product is cleared.

    A dispenser verifies 10 %, three at least, all where there are fewer than three (FD&C Act 582(d)(4)(A)(ii)(II));
    everybody else verifies each.
    """
    if not is_dispenser or packages < SMALLEST_SAMPLE:
        return packages
    return max(SMALLEST_SAMPLE, -(-packages // 10))


def said(state: State) -> str:
    """A state in words."""
    return state.value.replace("_", " ")
