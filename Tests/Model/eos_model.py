"""Exhaustive model of the commit, checkpoint and restart protocol of one task (ARCHITECTURE.md, "Exactly once").

Every reachable state of a small system is visited, breadth first: one input partition of a few records, two workers with
a disk each, the group's offset `C` in Kafka, a snapshot in object storage, and the offset `D` of a Delta table. Crashes
come between any two steps, commits end with an unknown outcome, workers become zombies, disks are lost, the group's offset
expires. In each state the promises below must hold; each planted bug must break one of them, or the model proves nothing.

    python3 Tests/Model/eos_model.py             explores the protocol, then every planted bug; exit code 1 on a surprise
    python3 Tests/Model/eos_model.py --trace     also prints the shortest way to each planted bug's violation
    python3 Tests/Model/eos_model.py 3 2         another number of records and of faults (2 and 2; 3 and 2: 831,154 states, a minute)

How it maps to the Swift code (Sources/Runtime):

    start           TaskProtocol: `.opened` → `.initializeProducer`, `.producerReady` → `.readCommitted`, `.committedRead`
    apply           PartitionTask.process: SourcePipeline with `emits: false` below the restart's C, `true` from it on
    send, commit    CommitLane: one transaction {outputs, C} on a thread of its own, while the worker applies on; unknown,
                    fenced and aborted are `CommitOutcome` cases
    take            PartitionTask.takeCheckpoint: the state where a commit takes its offsets, kept beside what goes on
    checkpoint      CheckpointLane: when that commit is decided, and while records are applied; spool rows first, then
                    one synced WriteBatch {rows, S, spool position}
    crash           kill points `runtime.*`, each of which lies between two steps of this model
    file, delta     the offline store (spool → Delta): a file [a, b) with b ≤ C commits only while the table's txn is a
    snapshot        upload of a checkpoint with its spool
    expire          the group's offsets are gone: `OutputEvidence` finds them in the outputs

What is one step here is one step there: a Kafka transaction (KIP-98), one RocksDB WriteBatch, one Delta commit. Records
in flight of a transaction that was aborted (KIP-890) are the producer's matter: it never ends the same transaction twice.
"""
import sys
from collections import deque, namedtuple

RECORDS = 2
FAULTS = 2

Disk = namedtuple("Disk", "S state spool")            # what the last WriteBatch holds; spool rows may lie beyond S
Memory = namedtuple("Memory", "A state pending spool emit_from K epoch D file flight taken")   # taken: a Disk to be
Kafka = namedtuple("Kafka", "C outputs epoch decided derived")   # decided: the largest C there ever was
Delta = namedtuple("Delta", "D rows")
State = namedtuple("State", "disks memories kafka delta snapshot faults")

SEED = 7


def fold(state, record):
    return (state * 31 + record + 1) % 1000003


GOLD = [SEED]
OUTPUTS = ()
SILENT = frozenset()                                   # records that no output comes from


def size(records, silent=frozenset()):
    """What one worker without faults would have after each record."""
    global GOLD, OUTPUTS, SILENT
    SILENT = silent
    GOLD = [SEED]
    for record in range(records):
        GOLD.append(fold(GOLD[-1], record))
    OUTPUTS = tuple((record, GOLD[record + 1]) for record in range(records) if record not in silent)


size(RECORDS)

EMPTY = Disk(0, SEED, ())
START = State((EMPTY, EMPTY), (None, None), Kafka(0, (), 0, 0, False), Delta(0, ()), EMPTY, 0)

# name: what is planted
BUGS = {
    "emit_during_replay": "outputs between S and C are produced again",
    "rewind_to_C_with_state": "after an unknown commit the task reads on from C and keeps its state",
    "blind_retry_commit": "after an unknown commit the same outputs are committed again",
    "checkpoint_in_flight": "the checkpoint takes a commit that is on its way for decided",
    "checkpoint_before_commit": "the checkpoint does not wait until what it has taken is committed",
    "checkpoint_of_now": "a checkpoint has the state as it is when it is written, and the offset at which it was taken",
    "checkpoint_says_now": "a checkpoint has the state as it was taken, and the offset when it is written",
    "taken_survives_restart": "what was taken is written although the task went back to S after an unclear commit",
    "commit_without_fence": "a zombie's commit is accepted",
    "skip_replay": "a restart begins at C and not at S",
    "plain_commit_moves_back": "a delayed plain commit of an older offset is accepted",
    "spool_after_batch": "the WriteBatch is written before the spool is on the disk",
    "spool_trimmed_early": "the checkpoint trims the spool by its own offset, not by D",
    "snapshot_without_spool": "a snapshot leaves the spool behind",
    "delta_without_recheck": "a Delta file commits although the table's txn moved",
    "delta_rows_from_S": "after a restart rows are collected for Delta from S on, not from D on",
    "delta_ahead_of_C": "a Delta file covers records that Kafka has not decided",
    "missing_C_is_S": "a missing group offset is taken to be S",
    "missing_C_without_state": "without offset and without state everything is emitted again",
    "unsynced_spool_position": "spool rows beyond S survive a restart and are collected twice",
}


class Violation(Exception):
    pass


def check(s):
    """The promises."""
    committed = s.kafka.decided
    if s.kafka.outputs != tuple(output for output in OUTPUTS if output[0] < committed):
        raise Violation("outputs are not those of the records that were ever committed, once each")
    if s.kafka.C is not None and not s.kafka.derived and s.kafka.C != committed:
        raise Violation("C moved back")
    if s.delta.rows != tuple(range(s.delta.D)):
        raise Violation("Delta rows are not those below D, once each")
    if s.delta.D > committed:
        raise Violation("D ran ahead of C")
    for disk in s.disks + (s.snapshot,):
        if disk.S > committed:
            raise Violation("S ran ahead of C")
        if disk.state != GOLD[disk.S]:
            raise Violation("the state at S is not the fold of the records below S")
        missing = [row for row in range(s.delta.D, disk.S) if row not in disk.spool]
        if missing:
            raise Violation(f"rows {missing} are neither in Delta nor in the spool")


def with_item(items, index, item):
    return items[:index] + (item,) + items[index + 1:]


def steps(s, bug):
    """Every next state, with the name of the step."""
    for w in (0, 1):
        disk, memory = s.disks[w], s.memories[w]
        if memory is None:
            # A start while the other one runs is a move with a zombie left behind: it costs a fault.
            cost = 1 if s.memories[1 - w] is not None else 0
            if s.faults + cost <= FAULTS:
                yield from start(s, w, disk, s.faults + cost, bug)
            if s.faults < FAULTS and s.snapshot != disk:
                yield f"disk lost {w}", s._replace(disks=with_item(s.disks, w, s.snapshot), faults=s.faults + 1)
            continue
        put = lambda m, **more: s._replace(memories=with_item(s.memories, w, m), **more)
        yield from apply(memory, w, put, bug)
        yield from commit(s, memory, w, put, bug)
        yield from checkpoint(s, disk, memory, w, put, bug)
        yield from table(s, memory, w, put, bug)
        if s.faults < FAULTS:
            yield f"crash {w}", put(None, faults=s.faults + 1)
    for w in (0, 1):
        if s.disks[w] != s.snapshot and s.memories[w] is not None:
            kept = s.disks[w]
            if bug == "snapshot_without_spool":
                kept = kept._replace(spool=())
            yield f"snapshot {w}", s._replace(snapshot=kept)
    if s.kafka.C and s.faults < FAULTS and s.memories == (None, None):
        yield "expire", s._replace(kafka=s.kafka._replace(C=None), faults=s.faults + 1)


def start(s, w, disk, faults, bug):
    C, derived = s.kafka.C, s.kafka.derived
    if C is None:
        # Each output says which record it comes from. Behind the newest one nothing was emitted.
        C, derived = max(disk.S, s.kafka.outputs[-1][0] + 1 if s.kafka.outputs else 0), True
        if bug == "missing_C_is_S" or bug == "missing_C_without_state" and disk.S == 0:
            C = disk.S
    if C < disk.S:
        if derived:
            return  # the other one, with an older state, has not got there yet: stops, and says so
        raise Violation("C < S")
    kafka = s.kafka._replace(epoch=s.kafka.epoch + 1, C=C, derived=derived)
    D = disk.S if bug == "delta_rows_from_S" else s.delta.D
    # Rows beyond S are of a checkpoint that never happened: the position in the WriteBatch cuts them off.
    limit = RECORDS if bug == "unsynced_spool_position" else disk.S
    spool = tuple(row for row in disk.spool if s.delta.D <= row < limit)
    state, A = disk.state, disk.S
    if bug == "skip_replay":
        A = max(A, C)
    emit_from = A if bug == "emit_during_replay" else C
    memory = Memory(A, state, (), spool, emit_from, C, kafka.epoch, D, None, None, None)
    yield f"start {w}", s._replace(memories=with_item(s.memories, w, memory), kafka=kafka, faults=faults)


def apply(memory, w, put, bug):
    if memory.A == RECORDS:
        return
    record = memory.A
    state = fold(memory.state, record)
    emits = record >= memory.emit_from and record not in SILENT
    pending = memory.pending + (((record, state),) if emits else ())
    # A set for the protocol, a list for a bug that collects twice.
    spool = memory.spool + ((record,) if record >= memory.D else ())
    yield f"apply {w}", put(memory._replace(A=record + 1, state=state, pending=pending, spool=spool))


def commit(s, memory, w, put, bug):
    A, K = memory.A, memory.K
    if bug == "plain_commit_moves_back" and K < (s.kafka.C or 0) and s.faults < FAULTS:
        yield f"late commit {w}", put(memory, kafka=s.kafka._replace(C=K), faults=s.faults + 1)
    if memory.flight is None:
        if A > K or (bug == "emit_during_replay" and memory.pending):
            yield f"send {w}", put(memory._replace(flight=(max(A, K), memory.pending), pending=()))
        return
    end, outputs = memory.flight
    if memory.epoch != s.kafka.epoch and bug != "commit_without_fence":
        yield f"fenced {w}", put(None)
        return
    highest = max(end, s.kafka.decided)
    decided = s.kafka._replace(
        C=end, outputs=s.kafka.outputs + outputs, decided=highest, derived=s.kafka.derived and end < highest)
    done = memory._replace(K=end, flight=None)
    yield f"commit {w}", put(done, kafka=decided)
    if s.faults == FAULTS:
        return
    # Unknown: decided, and the answer is lost; or not decided. Either way the memory goes and the task starts again.
    for kafka, name in ((decided, "decided"), (s.kafka, "undecided")):
        more = dict(kafka=kafka, faults=s.faults + 1)
        yield f"commit {name} unheard {w}", put(None, **more)
        if bug == "taken_survives_restart" and memory.taken:
            yield f"commit {name} unheard, written {w}", put(None, disks=with_item(s.disks, w, memory.taken), **more)
        if bug == "blind_retry_commit":
            again = kafka._replace(C=end, outputs=kafka.outputs + outputs)
            yield f"commit again {w}", put(done, kafka=again, faults=s.faults + 1)
        if bug == "rewind_to_C_with_state":
            C = kafka.C
            kept = memory._replace(A=C, K=C, pending=(), emit_from=C, flight=None)
            yield f"rewind {w}", put(kept, **more)


def checkpoint(s, disk, memory, w, put, bug):
    if memory.taken is None:
        # With a commit that has just taken its offsets, or where there is nothing to commit.
        if memory.A > max(memory.K, memory.flight[0] if memory.flight else 0) and bug != "checkpoint_before_commit":
            return
        spool = memory.spool
        if bug == "spool_trimmed_early":
            spool = tuple(row for row in spool if row >= memory.A)
        taken = Disk(memory.A, memory.state, spool)
        if taken != disk:
            yield f"take {w}", put(memory._replace(taken=taken))
        return
    saved = memory.taken
    known = memory.flight[0] if memory.flight and bug == "checkpoint_in_flight" else memory.K
    if saved.S > known and bug != "checkpoint_before_commit":
        return  # while replaying below C there is nothing to wait for
    if bug == "checkpoint_of_now":
        saved = saved._replace(state=memory.state)
    if bug == "checkpoint_says_now":
        saved = saved._replace(S=memory.A)
    done = memory._replace(taken=None)
    yield f"checkpoint {w}", put(done, disks=with_item(s.disks, w, saved))
    if s.faults == FAULTS:
        return
    torn = disk._replace(spool=tuple(dict.fromkeys(disk.spool + saved.spool)))
    if bug == "spool_after_batch":
        torn = saved._replace(spool=disk.spool)
    yield f"torn checkpoint {w}", put(None, disks=with_item(s.disks, w, torn), faults=s.faults + 1)


def table(s, memory, w, put, bug):
    if memory.file is None:
        a = memory.D if bug == "delta_rows_from_S" else max(memory.D, 0)
        end = memory.A if bug == "delta_ahead_of_C" else min(memory.A, memory.K)
        if end > a:
            rows = tuple(row for row in memory.spool if a <= row < end)
            yield f"file {w}", put(memory._replace(file=(a, end, rows)))
        return
    a, end, rows = memory.file
    if s.delta.D == a or bug in ("delta_without_recheck", "delta_rows_from_S"):
        delta = Delta(max(end, s.delta.D), s.delta.rows + rows)
        spool = tuple(row for row in memory.spool if row >= end)
        done = memory._replace(file=None, D=end, spool=spool)
        yield f"delta {w}", put(done, delta=delta)
        if s.faults < FAULTS:
            yield f"delta unheard {w}", put(None, delta=delta, faults=s.faults + 1)
    else:
        # Lost the race: what is below D is in the table; the file is built again.
        D = max(s.delta.D, memory.D)
        spool = tuple(row for row in memory.spool if row >= D)
        yield f"file dropped {w}", put(memory._replace(file=None, D=D, spool=spool))


def canonical(s):
    """Epochs count as their difference from Kafka's, so that states that differ in history only are one."""
    newest = s.kafka.epoch
    memories = tuple(
        m if m is None or newest == 0
        else Memory(*m[:6], 0 if m.epoch == newest else -1, *m[7:]) for m in s.memories)
    kafka = s.kafka._replace(epoch=0)
    disks = s.disks
    # The workers are alike: order them.
    if order(disks[1], memories[1]) < order(disks[0], memories[0]):
        disks, memories = disks[::-1], memories[::-1]
    return State(disks, memories, kafka, s.delta, s.snapshot, s.faults)


def order(disk, memory):
    return (disk, memory is not None, () if memory is None else memory[:8] + (memory.file or (), memory.flight or (), memory.taken or ()))


def explore(bug=None, limit=3_000_000):
    """Visits every state; returns their number and the first violation with the steps that lead to it."""
    parents = {START: None}
    queue = deque([START])
    while queue:
        s = queue.popleft()
        step = None
        try:
            for step, following in steps(s, bug):
                following = canonical(following)
                if following in parents:
                    continue
                parents[following] = (s, step)
                check(following)
                queue.append(following)
        except Violation as violation:
            broken = following if "C < S" not in str(violation) else s
            path = []
            while parents.get(broken):
                broken, name = parents[broken]
                path.append(name)
            return len(parents), str(violation), path[::-1]
        if len(parents) > limit:
            raise SystemExit(f"more than {limit} states")
    return len(parents), None, []


def main():
    global RECORDS, FAULTS
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    if numbers:
        RECORDS, FAULTS = numbers
        size(RECORDS)
    surprises = 0
    # Every record with an output, and without one of the first record.
    for silent in ({0}, set()):
        size(RECORDS, frozenset(silent))
        count, violation, path = explore()
        name = f"protocol, {len(OUTPUTS)} of {RECORDS} emit"
        print(f"{name:28s} states {count:8d}  {violation or 'every promise holds'}")
        if violation:
            surprises += 1
            print("   " + " → ".join(path))
    for bug in BUGS:
        count, violation, path = explore(bug)
        print(f"{bug:28s} states {count:8d}  {violation or 'NOT FOUND'} ({len(path)} steps)")
        if violation is None:
            surprises += 1
        if "--trace" in sys.argv:
            print("   " + " → ".join(path))
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
