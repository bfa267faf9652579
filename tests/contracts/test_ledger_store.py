"""What `ledger.store.port` promises, kept by memory, SQLite and PostgreSQL alike."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ledger.errors import VerificationError
from ledger.log.entry import ZERO_LEAF, Entry, Kind
from ledger.log.hashing import EMPTY_ROOT, tree_hash
from ledger.log.proof import consistency_proof, inclusion_proof, root_at, verify_consistency, verify_inclusion
from ledger.store.memory import MemoryLedger
from ledger.store.port import CheckpointConflict, Draft, NoSuchEntry, StoreError
from tests.support.ledgers import ORIGIN, draft, drafts, sql_ledger
from tests.support.sweep import sweep


def append(ledger, items):
    with ledger.writing() as writer:
        return writer.append(items)


def head(ledger):
    with ledger.reading() as reader:
        return reader.head()


def test_an_empty_ledger_has_the_empty_trees_root(ledger):
    found = head(ledger)
    assert (found.size, found.root, found.last_leaf, found.peaks.hashes) == (0, EMPTY_ROOT, ZERO_LEAF, ())
    with ledger.reading() as reader:
        assert list(reader.entries(0, 10)) == []
        assert reader.latest_checkpoint() is None
        assert reader.find_statement(b"{}") is None
        assert reader.find_leaf(bytes(32)) is None
        assert reader.seed(0) is None
    sweep(ledger)


def test_appending_nothing_changes_nothing(ledger):
    assert append(ledger, []) == []
    assert head(ledger).size == 0


def test_entries_get_indexes_in_order_and_hold_the_leaf_before(ledger):
    first, second, third = append(ledger, drafts(3))
    [fourth] = append(ledger, drafts(1, first=3))
    assert [entry.index for entry in (first, second, third, fourth)] == [0, 1, 2, 3]
    assert first.prev_leaf == ZERO_LEAF
    assert (second.prev_leaf, third.prev_leaf, fourth.prev_leaf) == (first.leaf, second.leaf, third.leaf)
    sweep(ledger, {entry.index: entry.encode() for entry in (first, second, third, fourth)})


def test_what_was_appended_is_read_back_in_every_way(ledger):
    entries = append(ledger, [draft("seeded"), draft("bare", seeded=False)])
    with ledger.reading() as reader:
        for entry in entries:
            assert reader.entry(entry.index) == entry.encode()
            assert reader.leaf(entry.index) == entry.leaf == reader.node(0, entry.index)
            assert reader.find_statement(entry.statement) == entry.index
            assert reader.find_leaf(entry.leaf) == entry.index
        assert reader.seed(0) == draft("seeded").seed
        assert reader.seed(1) is None


def test_what_is_not_there_is_said_to_be_not_there(ledger):
    append(ledger, drafts(300))
    with ledger.reading() as reader:
        for ask in (
            lambda: reader.entry(300),
            lambda: reader.entry(-1),
            lambda: reader.leaf(300),
            lambda: reader.node(0, 300),
            lambda: reader.node(8, 1),
            lambda: reader.node(9, 0),
            lambda: reader.node(70, 0),
            lambda: reader.node(0, -1),
            lambda: reader.tile(0, 1),
            lambda: reader.tile(1, 0),
        ):
            with pytest.raises(NoSuchEntry):
                ask()


def test_a_range_of_entries_is_what_lies_in_it(ledger):
    append(ledger, drafts(1_200))
    with ledger.reading() as reader:
        assert [index for index, _ in reader.entries(998, 1_003)] == [998, 999, 1_000, 1_001, 1_002]
        assert [index for index, _ in reader.entries(1_199, 10**15)] == [1_199]
        assert list(reader.entries(1_200, 10**15)) == []
        assert list(reader.entries(5, 5)) == list(reader.entries(5, 3)) == []
        assert len(list(reader.entries(0, 1_200))) == 1_200


def test_the_same_statement_again_returns_its_first_index(ledger):
    [first, other] = append(ledger, [draft("a"), draft("b")])
    again = append(ledger, [draft("c"), draft("a"), draft("c")])
    assert [entry.index for entry in again] == [2, 0, 2]
    assert again[1] == first
    assert append(ledger, [draft("b")]) == [other]
    assert head(ledger).size == 3
    sweep(ledger)


def test_the_same_statement_with_another_signature_is_still_the_first_entry(ledger):
    [first] = append(ledger, [draft("a")])
    signed_by_another = Draft(Kind.CAPTURED, 5, first.statement, draft("b").signatures)
    assert append(ledger, [signed_by_another]) == [first]


def test_one_bad_draft_takes_its_whole_batch_with_it(ledger):
    append(ledger, drafts(250))
    before = head(ledger)
    bad = Draft(Kind.RECEIVED, 1, bytes(20_000), draft("x").signatures)
    with pytest.raises(VerificationError, match="a statement of 20000 bytes"):
        append(ledger, [*drafts(20, first=250), bad, draft("after")])
    assert head(ledger) == before
    with ledger.reading() as reader:
        assert reader.find_statement(draft(250).statement) is None
    sweep(ledger)


def test_a_failure_after_the_append_undoes_entries_tiles_seeds_and_checkpoints(ledger):
    append(ledger, drafts(250))
    before = head(ledger)
    with pytest.raises(ZeroDivisionError), ledger.writing() as writer:
        entries = writer.append(drafts(300, first=250))
        assert writer.head().size == 550
        assert writer.entry(549) == entries[-1].encode()
        assert len(writer.tile(0, 1)) == 8192
        writer.add_checkpoint(550, b"never published")
        _ = 1 // 0
    assert head(ledger) == before
    with ledger.reading() as reader:
        assert reader.latest_checkpoint() is None
        assert reader.seed(250) is None
        with pytest.raises(NoSuchEntry):
            reader.tile(0, 0)
    assert [entry.index for entry in append(ledger, drafts(300, first=400))] == list(range(250, 550))
    sweep(ledger)


def test_several_appends_in_one_transaction_follow_each_other(ledger):
    with ledger.writing() as writer:
        for first in range(0, 600, 100):
            writer.append(drafts(100, first))
        assert writer.find_statement(draft(599).statement) == 599
    assert head(ledger).size == 600
    sweep(ledger)


def test_readers_see_nothing_before_the_commit(ledger):
    append(ledger, drafts(2))
    with ledger.writing() as writer:
        writer.append(drafts(1, first=2))
        with ledger.reading() as reader:
            assert reader.head().size == 2
            assert reader.find_statement(draft(2).statement) is None
            with pytest.raises(NoSuchEntry):
                reader.entry(2)
    assert head(ledger).size == 3


def test_checkpoints_are_kept_as_they_came_and_found_by_size(ledger):
    append(ledger, drafts(10))
    with ledger.writing() as writer:
        for size in (9, 3, 5):
            writer.add_checkpoint(size, b"note %d" % size)
        writer.add_checkpoint(5, b"note 5")
    with ledger.reading() as reader:
        assert [(kept.size, kept.note) for kept in reader.checkpoints()] == [
            (3, b"note 3"),
            (5, b"note 5"),
            (9, b"note 9"),
        ]
        latest = reader.latest_checkpoint()
        assert latest is not None
        assert latest.size == 9
        found = [reader.checkpoint_at_or_below(size) for size in (2, 3, 4, 8, 100)]
        assert [kept and kept.size for kept in found] == [None, 3, 3, 5, 9]


def test_two_checkpoints_of_one_size_and_one_beyond_the_head_are_refused(ledger):
    append(ledger, drafts(3))
    with ledger.writing() as writer:
        writer.add_checkpoint(3, b"one")
    with pytest.raises(CheckpointConflict), ledger.writing() as writer:
        writer.add_checkpoint(3, b"other")
    with pytest.raises(StoreError, match="size 4 over 3 entries"), ledger.writing() as writer:
        writer.add_checkpoint(4, b"beyond")


def test_every_proof_at_sizes_around_full_tiles_verifies(ledger):
    leaves = [entry.leaf for entry in append(ledger, drafts(600))]
    with ledger.reading() as reader:
        for size in (1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 600):
            root = tree_hash(leaves[:size])
            assert root_at(reader, size) == root
            for index in range(size):
                verify_inclusion(leaves[index], index, size, inclusion_proof(reader, index, size), root)
            for old in range(1, size + 1):
                proof = consistency_proof(reader, old, size)
                verify_consistency(old, size, tree_hash(leaves[:old]), root, proof)


def test_a_reader_that_stays_open_proves_what_came_after_it_was_opened_or_does_not_see_it(ledger):
    leaves = [entry.leaf for entry in append(ledger, drafts(100))]
    with ledger.reading() as reader:
        assert root_at(reader, 100) == tree_hash(leaves)
        leaves += [entry.leaf for entry in append(ledger, drafts(200, first=100))]
        size = reader.head().size
        assert size in (100, 300)
        assert root_at(reader, size) == tree_hash(leaves[:size])
    with ledger.reading() as reader:
        assert root_at(reader, 300) == tree_hash(leaves)


@pytest.mark.slow
def test_a_tile_of_tiles_becomes_full_and_proofs_go_through_it(ledger):
    size = 65_536 + 300
    leaves: list[bytes] = []
    for first in range(0, size, 30_000):
        leaves += [entry.leaf for entry in append(ledger, drafts(min(30_000, size - first), first))]
    with ledger.reading() as reader:
        level_1 = b"".join(tree_hash(leaves[at : at + 256]) for at in range(0, 65_536, 256))
        assert reader.tile(1, 0) == level_1
        assert len(reader.tile(0, 256)) == 8192
        root = reader.head().root
        assert root == tree_hash(leaves) == root_at(reader, size)
        for index in (0, 255, 256, 40_000, 65_535, 65_536, 65_791, 65_792, size - 1):
            verify_inclusion(leaves[index], index, size, inclusion_proof(reader, index, size), root)
        for old in (1, 256, 65_535, 65_536, 65_537, 65_792, size - 1):
            verify_consistency(old, size, tree_hash(leaves[:old]), root, consistency_proof(reader, old, size))


class LedgerMachine(RuleBasedStateMachine):
    """A store beside a list of the statements it must hold."""

    make = staticmethod(lambda: MemoryLedger(ORIGIN))

    @initialize()
    def begin(self):
        self.ledger = self.make()
        self.model: list[bytes] = []
        self.bodies: dict[int, bytes] = {}

    def expected(self, items: list[Draft]) -> tuple[list[bytes], list[int]]:
        model = list(self.model)
        for item in items:
            if item.statement not in model:
                model.append(item.statement)
        return model, [model.index(item.statement) for item in items]

    @rule(names=st.lists(st.integers(0, 60), max_size=12))
    def append_some(self, names):
        self.append_items([draft(name) for name in names])

    @rule(count=st.integers(100, 300))
    def append_many(self, count):
        self.append_items(drafts(count, first=1_000 + len(self.model)))

    def append_items(self, items):
        model, indexes = self.expected(items)
        entries = append(self.ledger, items)
        assert [entry.index for entry in entries] == indexes
        self.model = model
        for entry in entries:
            assert self.bodies.setdefault(entry.index, entry.encode()) == entry.encode()

    @rule(names=st.lists(st.integers(0, 60), max_size=12), bad_at=st.integers(0, 12))
    def append_with_a_bad_one(self, names, bad_at):
        items = [draft(name) for name in names]
        items.insert(min(bad_at, len(items)), Draft(Kind.RECEIVED, 1, b"", draft("x").signatures))
        with pytest.raises(VerificationError):
            append(self.ledger, items)

    @rule(names=st.lists(st.integers(0, 90), max_size=12), many=st.integers(0, 270))
    def append_and_change_ones_mind(self, names, many):
        with suppress(ZeroDivisionError), self.ledger.writing() as writer:
            writer.append([draft(name) for name in names])
            writer.append(drafts(many, first=500_000))
            _ = 1 // 0

    @rule(a=st.integers(0, 10**6), b=st.integers(0, 10**6), c=st.integers(0, 10**6))
    def prove(self, a, b, c):
        if not self.model:
            return
        size = 1 + a % len(self.model)
        old, index = 1 + b % size, c % size
        leaves = [Entry.decode(self.bodies[i]).leaf for i in range(size)]
        root = tree_hash(leaves)
        with self.ledger.reading() as reader:
            verify_inclusion(leaves[index], index, size, inclusion_proof(reader, index, size), root)
            verify_consistency(old, size, tree_hash(leaves[:old]), root, consistency_proof(reader, old, size))

    @invariant()
    def holds(self):
        if not hasattr(self, "ledger"):
            return
        assert head(self.ledger).size == len(self.model)
        with self.ledger.reading() as reader:
            assert [
                Entry.decode(body).statement for _, body in reader.entries(0, len(self.model))
            ] == self.model
        sweep(self.ledger, self.bodies)


MACHINE = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_whatever_is_done_to_the_memory_store_it_equals_a_list():
    run_state_machine_as_test(LedgerMachine, settings=MACHINE)


def test_whatever_is_done_to_a_database_it_equals_a_list(make_database):
    class OnDatabase(LedgerMachine):
        make = staticmethod(lambda: sql_ledger(make_database()))

    run_state_machine_as_test(OnDatabase, settings=settings(MACHINE, max_examples=5, stateful_step_count=9))
