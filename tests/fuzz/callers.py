"""Whatever bytes come from a caller, in whatever pieces: what the server side of the gateway promises of it.

`check` plays a script twice, the stream as a whole and in pieces, and compares what came of it with each
other and with what h11 reads.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING, cast

from lienthong.gateway.http1.caller import MOST_HELD, Caller
from tests.fuzz import strictness
from tests.fuzz.clock import FindingError, VirtualLoop
from tests.fuzz.readers import read_answers, read_requests
from tests.fuzz.script import Script, read_script
from tests.fuzz.service import CALL_S, LOOK_EVERY_S, MAX_HEAD, Call, Outcome, Owner, Serve
from tests.fuzz.wire import Gaps, Reads, Wire, pause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fuzz.readers import Message, Reading

_EMPTY_LINES = 10
_NO_PROGRESS_S = 60.0
"""In which something must happen, until the connection is closed."""
_READS_ALL = frozenset((Serve.READ, Serve.READ_THEN_STREAM, Serve.LATE))


class End(IntEnum):
    """What happens when all has come."""

    WAIT = 0
    EOF = 1
    DRAIN = 2
    """The gateway stops, half way."""
    RESET = 3


class CallersWire(Wire):
    """Looks at how much is taken that nobody has asked for."""

    def __init__(self, reads: Reads, owner: Owner) -> None:
        super().__init__(reads)
        self._owner = owner

    def before_delivery(self, size: int) -> None:
        owner = self._owner
        broken = owner.active is not None and owner.outcome.calls[-1].broken is not None
        # Behind the end, or where a body cannot be read, what comes is thrown away.
        if not self.ended and not broken:
            owner.unasked += size
        # The rest of a body, and as much behind it.
        if owner.unasked > 2 * MOST_HELD + MAX_HEAD + _EMPTY_LINES + 2 * size:
            raise FindingError(f"{owner.unasked} bytes were taken that nobody has asked for")
        held = owner.active.held if owner.active is not None else 0
        if held > 2 * MOST_HELD + size and held > owner.unasked:
            raise FindingError(f"{held} bytes of a body are held")


async def play(script: Script, parts: tuple[bytes, ...]) -> Outcome:
    """Play a script, its stream in these parts, until the connection is closed.

    Raises:
        FindingError: something that is promised did not hold.
    """
    loop = asyncio.get_running_loop()
    owner = Owner(Serve(script.serve % len(Serve)))
    wire = CallersWire(Reads(script.reads % len(Reads)), owner)
    caller = Caller(owner, "10.0.0.7")
    owner.takes_answers = lambda: not wire.full
    wire.connect(cast("asyncio.Protocol", caller))
    end, gaps = End(script.end % len(End)), Gaps(script.gaps % len(Gaps))

    async def look() -> None:
        while not owner.forgotten:
            await asyncio.sleep(LOOK_EVERY_S)
            owner.now = loop.time()
            if not owner.forgotten:
                caller.look(owner.now)

    looking = loop.create_task(look())
    for number, part in enumerate(parts):
        if end is End.DRAIN and number == len(parts) // 2:
            owner.draining = True
            caller.drain()
        wire.deliver(part)
        await pause(gaps)
    if end is End.EOF:
        wire.end_input()
    elif end is End.RESET:
        wire.reset()
    await _until_closed(wire, owner)
    await looking
    if owner.tasks:
        await asyncio.wait(owner.tasks, timeout=2 * CALL_S)
    if owner.tasks or owner.active is not None:
        raise FindingError("a call goes on, of which the connection is closed long since")
    if owner.failures:
        raise FindingError(f"a call did not go as it should: {owner.failures[0]!r}") from owner.failures[0]
    if owner.forgotten != 1:
        raise FindingError(f"forgotten {owner.forgotten} times")
    outcome = owner.outcome
    outcome.sent, outcome.aborted, outcome.half_closed = bytes(wire.sent), wire.aborted, wire.ended
    return outcome


async def _until_closed(wire: Wire, owner: Owner) -> None:
    seen: tuple[int, ...] = ()
    while not wire.lost.done():
        now = (len(wire.sent), wire.unsent, len(wire.waiting), len(owner.outcome.calls))
        if now == seen:
            raise FindingError(f"a connection waits for ever: {owner.outcome}, {len(wire.waiting)} pieces")
        seen = now
        await asyncio.wait([wire.lost], timeout=_NO_PROGRESS_S)


def check(data: bytes) -> None:
    """Play the script that these bytes are, and look at everything that is promised.

    Raises:
        FindingError: something did not hold.
    """
    script = read_script(data)
    if script is None:
        return
    foreign = read_requests(script.stream)
    whole = VirtualLoop().play(play(script, (script.stream,)))
    cut = VirtualLoop().play(play(script, script.pieces))
    for outcome in (whole, cut):
        _check_answers(script, outcome)
        _check_against(foreign, outcome, script)
    _check_same(script, whole, cut)


def _check_answers(script: Script, outcome: Outcome) -> None:
    """Each call has one answer at most, in order; only what is no request is answered beside them."""
    answers = read_answers(outcome.sent, [call.method for call in outcome.calls])
    interim = [answer for answer in answers if answer.status == 100]
    final = [answer for answer in answers if answer.status != 100]
    expecting = [call for call in outcome.calls if any(name == b"expect" for name, _ in call.fields)]
    numbers = [int(answer.fields["call"]) for answer in final if "call" in answer.fields]
    beside = [answer for answer in final if "call" not in answer.fields]
    if len(interim) > len(expecting):
        raise FindingError("asked for a body more often than a caller waited for that")
    if numbers != list(range(len(numbers))) or len(numbers) > len(outcome.calls):
        raise FindingError(f"answers to calls {numbers}, of {len(outcome.calls)}")
    if len(outcome.unreadable) > 1 or len(beside) > len(outcome.unreadable) or beside not in ([], final[-1:]):
        raise FindingError(f"{len(beside)} answers beside calls, for {outcome.unreadable}")
    serve, reads = Serve(script.serve % len(Serve)), Reads(script.reads % len(Reads))
    complete = serve not in (Serve.BREAK_OFF, Serve.FAIL) and reads is not Reads.NEVER
    here = End(script.end % len(End)) in (End.WAIT, End.DRAIN)
    if not all(answer.whole for answer in final[:-1]) or (
        here and final and not final[-1].whole and not outcome.aborted
    ):
        raise FindingError("an answer has no end, and the connection a proper one")
    tells = not final or final[-1].fields.get("connection") == "close"
    if (
        outcome.half_closed
        and not outcome.aborted
        and not tells
        and End(script.end % len(End)) is not End.DRAIN
    ):
        raise FindingError(f"the connection is ended without a word: {final[-1]}")
    if complete and here:
        answerable = [call for call in outcome.calls if not call.gone]
        if len(answerable) != len(outcome.calls):
            raise FindingError("a caller that waits is said to have gone")
        if serve is Serve.ECHO and outcome.aborted and outcome.calls:
            # The last answer had begun when the body turned out to be broken.
            numbers = [*numbers[: len(outcome.calls) - 1], len(outcome.calls) - 1]
        elif final and not final[-1].whole:
            raise FindingError("the last answer has no end")
        if len(numbers) != len(outcome.calls):
            raise FindingError(f"{len(numbers)} answers to {len(outcome.calls)} calls")
        if len(beside) != len(outcome.unreadable):
            raise FindingError("what was no request got no answer")


def _check_against(foreign: Reading, outcome: Outcome, script: Script) -> None:
    """Where both read a request, it is the same one; nothing of a body is a request."""
    reads_all = Serve(script.serve % len(Serve)) in _READS_ALL
    for number, call in enumerate(outcome.calls):
        message = foreign.messages[number] if number < len(foreign.messages) else None
        if call.flaw is not None:
            drips = script.gaps % len(Gaps) == Gaps.HALF_A_SECOND and call.flaw == "TOO_SLOW"
            if (
                message is not None
                and not drips
                and not strictness.explains(call.flaw, message, script.stream)
            ):
                raise FindingError(f"refused with {call.flaw}, though h11 reads {message}")
            return
        if message is None:
            _check_unread(number, call, foreign)
            return
        _check_one(number, call, message)
        if call.broken is not None or call.gone:
            return
        if reads_all and call.whole != message.whole:
            raise FindingError(f"the end of the body of call {number}: {call}, h11 {message}")
    if len(foreign.messages) <= len(outcome.calls) or not reads_all or not _undisturbed(script):
        return
    message = foreign.messages[len(outcome.calls)]
    if not any(strictness.explains(reason, message, script.stream) for reason in outcome.unreadable):
        raise FindingError(f"no call, though h11 reads {message}: {outcome}")


def _check_unread(number: int, call: Call, foreign: Reading) -> None:
    """A call where h11 has no request."""
    if foreign.ends and foreign.messages[-1].start[2] == b"1.0":
        # h11 keeps no connection of HTTP/1.0.
        return
    if foreign.ends:
        raise FindingError(f"call {number} follows what was the last request: {call}")
    if foreign.refused is None:
        raise FindingError(f"call {number} is none yet to h11: {call}")
    if not strictness.of_h11(foreign.refused, call):
        raise FindingError(f"h11 refuses call {number} with {foreign.refused!r}: {call}")


def _undisturbed(script: Script) -> bool:
    """Whether all that comes is read in time, and all that is answered."""
    return (
        script.reads % len(Reads) == Reads.AT_ONCE
        and script.gaps % len(Gaps) != Gaps.HALF_A_SECOND
        and script.end % len(End) == End.WAIT
    )


def _check_one(number: int, call: Call, message: Message) -> None:
    method, target, _ = message.start
    ours = (call.method.encode("latin-1"), call.path, call.query, _alike(call.fields))
    path, mark, query = target.partition(b"?")
    theirs = (method, path, mark + query, _alike(message.fields))
    if target.startswith(b"/") and ours != theirs:
        raise FindingError(f"call {number} is {ours}, to h11 {theirs}")
    if call.body != message.body[: len(call.body)]:
        raise FindingError(f"the body of call {number} is {call.body!r}, to h11 {message.body!r}")
    if call.whole and call.body != message.body:
        raise FindingError(f"the body of call {number} ends early: {call.body!r}, to h11 {message.body!r}")


def _alike(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Fields as h11 spells them."""
    return [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in fields]


def _check_same(script: Script, whole: Outcome, cut: Outcome) -> None:
    """The same bytes are the same calls, in whatever pieces they come."""
    alike = Serve(script.serve % len(Serve)) in (*_READS_ALL, Serve.AT_ONCE) and _undisturbed(script)
    if not alike:
        for one, other in zip(whole.calls, cut.calls, strict=False):
            if _start(one) != _start(other) and not (one.flaw or other.flaw):
                raise FindingError(f"as a whole {one}, in pieces {other}")
        return
    for number, (one, other) in enumerate(zip(whole.calls, cut.calls, strict=False)):
        if "TOO_LARGE" in (one.broken, other.broken):
            # How much may stand between two parts of a body depends on the pieces (MOST_FRAMING).
            return
        if one != other:
            raise FindingError(f"call {number} is as a whole {one}, in pieces {other}")
    if whole.calls != cut.calls:
        raise FindingError(f"as a whole {len(whole.calls)} calls, in pieces {len(cut.calls)}")
    for name in ("unreadable", "counted", "aborted", "half_closed"):
        if getattr(whole, name) != getattr(cut, name):
            raise FindingError(f"{name}: as a whole {getattr(whole, name)}, in pieces {getattr(cut, name)}")
    if without_interim(whole.sent) != without_interim(cut.sent):
        raise FindingError(f"answered as a whole {whole.sent!r}, in pieces {cut.sent!r}")


def _start(call: Call) -> tuple[object, ...]:
    return call.method, call.path, call.query, call.fields


def without_interim(sent: bytes) -> bytes:
    """What has been sent, without asking for a body: that depends on how much of it is here."""
    return sent.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
