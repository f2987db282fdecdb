#!/usr/bin/env python3
"""A second opinion on *Meaning*: an independent reading in Python.

This model was written from the text of docs/scene-cards.md (*Meaning*, *Decision log*, *Where the text is silent*) and the
hand-worked traces of this directory, without sight of the engine. It is slow and plain on purpose: exact numbers, timers in a list,
records made in the order in which the text lists them. scenes/drive/model_oracle_test.go compares the two on random cases.

    model.py < cases.jsonl > logs.jsonl

One case a line: {"profile": …, "cards": […], "judged": …, "factors": {…}, "stream": […]}. The profile and the cards are those of
the format, as JSON. `factors` are the DBC's factors that are not 1, by path. An event of the stream is a list:

    [t, "frame", {path: raw, …}]     t in whole nanoseconds; raw values as on the bus, one frame
    [t, "reply", n, "ok" or "error"] the answer to the call of record n
    [t, "override", path, value]     the HMI reports the driver's hand
    [t, "tick"]                      time passes

One answer a line: {"log": […], "marks": […]}: the records in the compact form of the traces, every record shown, and the rare places
that the case came to, so that the test can tell what it has seen. Python 3.9, standard library only.
"""
import json
import sys
from fractions import Fraction

UNITS = {"us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
TO_VSS = {"mph": Fraction("1.609344")}  # everything else is used in VSS's own unit
KINDS = ["staleness", "holds", "waits", "replies", "leases", "readbacks", "retries"]


def duration(text):
    """A duration of the format, in nanoseconds."""
    digits = text.rstrip("umsh")
    return int(Fraction(digits) * UNITS[text[len(digits):]])


def number(text):
    """A JSON number as it is written: whole or exact."""
    value = Fraction(text)
    return int(value) if value.denominator == 1 else value


def show(value):
    """The shortest form of a number; a boolean or label as it is."""
    if isinstance(value, (bool, str)):
        return value if isinstance(value, str) else str(value).lower()
    value = Fraction(value)
    return str(value.numerator) if value.denominator == 1 else repr(float(value))


def signals_of(node, found):
    """Every signal that a piece of a card or profile names."""
    if isinstance(node, dict):
        if "signal" in node:
            found.add(node["signal"])
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            signals_of(part, found)
    return found


def literal(value, unit):
    if isinstance(value, (bool, str)):
        return value
    return value * TO_VSS.get(unit, 1)


class Timer:
    def __init__(self, deadline, kind, card, firing, index, run):
        self.order = (deadline, KINDS.index(kind), card, firing, index)
        self.deadline, self.run = deadline, run


class Detector:
    """One trigger of a card. state is None while the signal is unknown."""

    def __init__(self):
        self.state = None
        self.hold = None  # Timer
        self.held = None  # n of the `held` record
        self.depth = 0    # of what brought the hold's edge


class Card:
    def __init__(self, text):
        self.text, self.id = text, text["id"]
        self.priority = text.get("priority", 0)
        self.cooldown = duration(text.get("cooldown", "0s"))
        self.only_if = text.get("only_if", [])
        self.signals = signals_of([text["when"], self.only_if], set())
        self.detectors = [Detector() for _ in text["when"]]
        self.live = self.quarantined = False
        self.fired = []  # times
        self.queue = None


class Queue:
    def __init__(self, card, n):
        self.card, self.n, self.index, self.wait = card, n, 0, None

    def action(self):
        return self.card.text["then"][self.index]


class Lease:
    def __init__(self, card, firing, index, n, value, deadline, at_end):
        self.card, self.firing, self.index, self.n = card, firing, index, n
        self.value, self.deadline, self.at_end = value, deadline, at_end
        self.timer = None
        self.call = n  # its newest call


class End:
    """An end that has still to be accepted."""

    def __init__(self, lease, n, value):
        self.lease, self.n, self.value = lease, n, value
        self.waiting = self.denied = False
        self.call = self.retry = None
        self.backoff = 0


class Actuator:
    def __init__(self, path, text):
        self.path, self.step = path, text.get("step", 0)
        self.labels = text["type"] == "string"  # labels have no hull and no range; a boolean is 0 or 1 with step 0
        self.low, self.high = text.get("min"), text.get("max")
        self.states = text["states"]
        self.end_states = text.get("end_states", text["states"])
        self.min_interval = duration(text.get("min_interval", "0s"))
        self.holdoff = duration(text["manual_holdoff"])
        self.within = duration(text["readback"]["within"]) if "readback" in text else None
        self.slew = Fraction(text["slew"][:-2]) if "slew" in text else None
        self.limit = duration(text["call"]["within"]) if "call" in text else None
        self.base = None
        self.stack = []          # leases, the top one last
        self.top = None          # the lease whose value was commanded last
        self.end = None
        self.started = None      # time of the last start
        self.held_off = None     # until when every card loses to the driver
        self.settled = None      # last settled value
        self.commands = []       # all commands since
        self.newest = None       # n and end of the readback time of the newest act
        self.end_over = None     # when the last end's readback time is over
        self.judged = None       # the call whose readback is judged

    def hull(self):
        values = self.commands + ([] if self.settled is None else [self.settled])
        return min(values), max(values)

    def settle(self, value):
        self.settled, self.commands = value, []

    def readback_time(self):
        if self.within is None:
            return 0
        if self.slew is None:
            return self.within
        low, high = self.hull()
        return self.within + int(Fraction(high - low) / self.slew * 10**9)


class Judged:
    def __init__(self, n, command, timer):
        self.n, self.command, self.timer = n, command, timer
        self.replied = self.settled = False


class Call:
    def __init__(self, card, queue, action, actuator=None, lease=None):
        self.card, self.queue, self.action, self.actuator, self.lease = card, queue, action, actuator, lease
        self.timer = None


class Model:
    def __init__(self, case):
        self.profile, self.judging = case["profile"], case["judged"]
        self.marks = set()  # places that the case came to, for the test: see main
        self.factors = case.get("factors", {})
        self.cards = [Card(c) for c in sorted(case["cards"], key=lambda c: c["id"])]
        self.actuators = {p: Actuator(p, a) for p, a in sorted(self.profile["actuators"].items())}
        self.values, self.seen, self.staleness = {}, set(), {}
        self.followed = signals_of([c.text for c in self.cards], set()) | signals_of([self.profile["states"]], set())
        self.readbacks = {}  # signal to actuator
        for card in self.cards:
            for action in card.text["then"]:
                readback = self.profile["actuators"].get(action.get("set"), {}).get("readback")
                if readback:
                    self.readbacks[readback["signal"]] = self.actuators[action["set"]]
        self.followed |= set(self.readbacks)
        self.now, self.stamp = 0, None
        self.n, self.log, self.timers, self.calls = 0, [], [], {}
        self.depths = {}        # n of `fired` and `acted`: the firing's depth
        self.done_at = {}       # last `acted` of each do action
        self.state = "moving"

    # The log.

    def record(self, card, what, **keys):
        self.n += 1
        parts = [show(Fraction(self.now, 10**9)), str(self.n), card, what]
        for key in ("why", "action", "actuator", "value", "lease", "cause"):
            if keys.get(key) is not None:
                parts.append("%s=%s" % (key, keys[key]))
        self.log.append(" ".join(parts))
        return self.n

    # The stream and its timers, rules 1 to 3.

    def take(self, event):
        stamp, kind = event[0], event[1]
        if self.stamp is not None and stamp < self.stamp:
            self.record("-", "clock", why="back")
        self.run_timers(stamp)
        self.now = stamp if self.stamp is None else max(self.now, stamp)
        self.stamp = stamp
        if kind == "frame":
            self.step(lambda: self.frame(event[2]))
        elif kind == "reply":
            self.step(lambda: self.reply(event[2], None if event[3] == "ok" else "error"))
        elif kind == "override":
            self.step(lambda: self.hand(self.actuators[event[2]], event[3]))

    def run_timers(self, until):
        while True:
            due = [t for t in self.timers if t.deadline <= until]
            if not due:
                return
            timer = min(due, key=lambda t: t.order)
            if any(t is not timer and t.order[:3] == timer.order[:3] for t in due):
                self.marks.add("timers:" + KINDS[timer.order[1]])
            if any(t is not timer and t.order == timer.order for t in due):
                self.marks.add("timers:equal")
            self.timers.remove(timer)
            self.now = timer.deadline
            self.step(timer.run)

    def timer(self, deadline, kind, card, firing, index, run):
        timer = Timer(deadline, kind, card, firing, index, run)
        self.timers.append(timer)
        return timer

    def stop(self, timer):
        if timer in self.timers:
            self.timers.remove(timer)

    def step(self, event):
        """The event's own; the cards; the arbiter and the effects, in rounds."""
        self.completions = {}   # card id to [(trigger, cause, depth)]
        self.cancelled, self.began = {}, {}
        self.requests, self.dos = [], []
        self.ended = {}         # path to the top lease that ended and its n
        self.ends_to_log = []   # (actuator, lease, why) of quarantined cards
        self.ends_to_go = []    # actuators with an open end that may go now
        event()
        self.follow_state()
        for card in self.cards:
            self.evaluate(card)
        while self.requests or self.dos or self.ended or self.ends_to_log or self.ends_to_go:
            self.round()

    # Signals, rules 4 and 5.

    def decode(self, path, raw):
        """The value of a raw sample, None if it is invalid."""
        signal = self.profile["signals"][path]
        if raw in signal.get("invalid", []):
            return None
        if "values" in signal:
            return signal["values"].get(str(raw))
        return literal(raw * self.factors.get(path, 1), signal.get("unit"))

    def frame(self, raws):
        samples = [(p, self.decode(p, raw)) for p, raw in sorted(raws.items()) if p in self.followed]
        for path, value in samples:
            if value is not None:
                self.learn(path, value)
            elif self.values.get(path) is not None:
                self.lose(path, "invalid:")
        causes = {}
        for path, value in samples:
            if path in self.readbacks and value is not None:
                causes[path] = self.act_behind(self.readbacks[path])
        self.follow_state()
        for path, value in samples:
            if path in self.readbacks and value is not None:
                self.readback(self.readbacks[path], value)
        for card in self.cards:
            for index, trigger in enumerate(card.text["when"]):
                for path, value in samples:
                    if path == trigger["signal"] and value is not None:
                        self.detect(card, index, trigger, value, causes.get(path))

    def learn(self, path, value):
        if self.values.get(path) is None:
            self.record("-", "known", why=("recovered:" if path in self.seen else "first:") + path)
        self.values[path] = value
        self.seen.add(path)
        self.stop(self.staleness.get(path))
        after = self.profile["signals"][path]["stale_after"]
        if after != "never":
            self.staleness[path] = self.timer(self.now + duration(after), "staleness", path, 0, 0, lambda: self.lose(path, "stale:"))

    def lose(self, path, why):
        self.record("-", "unknown", why=why + path)
        self.values[path] = None
        self.stop(self.staleness.get(path))
        for card in self.cards:
            for index, trigger in enumerate(card.text["when"]):
                if trigger["signal"] == path:
                    card.detectors[index].state = None
                    self.cancel(card, index, "unknown:" + path)

    def cancel(self, card, index, why):
        detector = card.detectors[index]
        if detector.hold:
            self.stop(detector.hold)
            detector.hold = None
            self.cancelled.setdefault(card.id, []).append((index, why, detector.held))

    # Triggers, conditions and firings, rules 5 to 7 and 13.

    def act_behind(self, actuator):
        """The newest act, if its readback time still runs (rule 13)."""
        if actuator.newest and self.now <= actuator.newest[1]:
            return actuator.newest[0]
        return None

    def detect(self, card, index, trigger, value, cause):
        detector = card.detectors[index]
        before = detector.state
        if "changes" in trigger:
            detector.state = (value,)
            edge, rearmed = before is not None and before != (value,), False
        elif "becomes" in trigger or "leaves" in trigger:
            wanted = literal(trigger.get("becomes", trigger.get("leaves")), trigger.get("unit"))
            detector.state = value == wanted
            arrived = before is False and detector.state
            left = before is True and not detector.state
            edge, rearmed = (arrived, left) if "becomes" in trigger else (left, False)
        else:
            edge, rearmed = self.detect_threshold(detector, trigger, value)
        if rearmed:
            self.cancel(card, index, "rearmed")
        if edge:
            self.edge(card, index, trigger, cause)

    def detect_threshold(self, detector, trigger, value):
        """state is True while armed."""
        rises = "rises_above" in trigger
        limit = trigger["rises_above" if rises else "falls_below"]
        band = trigger.get("rearm_below" if rises else "rearm_above", limit)
        limit, band = literal(limit, trigger.get("unit")), literal(band, trigger.get("unit"))
        arms = value <= band if rises else value >= band
        passed = value > limit if rises else value < limit
        if detector.state is None:
            detector.state = arms
            return False, False
        if detector.state and passed:
            detector.state = False
            return True, False
        if not detector.state and arms:
            detector.state = True
            return False, True
        return False, False

    def edge(self, card, index, trigger, cause):
        depth = 0 if cause is None else self.depths[cause] + 1
        if "held_for" not in trigger:
            self.completions.setdefault(card.id, []).append((index, cause, depth))
            return
        detector = card.detectors[index]
        detector.depth = depth
        self.began.setdefault(card.id, []).append((index, cause))

        def complete():
            detector.hold = None
            self.completions.setdefault(card.id, []).append((index, detector.held, detector.depth))

        detector.hold = self.timer(self.now + duration(trigger["held_for"]), "holds", card.id, 0, index, complete)

    def condition(self, c):
        """Kleene's logic: None is unknown."""
        if "all" in c or "any" in c:
            decides = "any" in c
            parts = [self.condition(p) for p in c["any" if decides else "all"]]
            if decides in parts:
                return decides
            return None if None in parts else not decides
        if "not" in c:
            inner = self.condition(c["not"])
            return None if inner is None else not inner
        if "state" in c:
            return self.drive_state() == c["state"]
        value = self.values.get(c["signal"])
        if value is None:
            return None
        lit = lambda v: literal(v, c.get("unit"))
        if "above" in c:
            return value > lit(c["above"])
        if "below" in c:
            return value < lit(c["below"])
        if "between" in c:
            return lit(c["between"][0]) <= value <= lit(c["between"][1])
        if "is" in c:
            return value == lit(c["is"])
        return value != lit(c["is_not"])

    def drive_state(self):
        for name, c in self.profile["states"].items():
            truth = self.condition(c)
            if truth is None:
                return "moving"
            if truth:
                return name
        return "moving"

    def evaluate(self, card):
        if not card.live and card.signals <= self.seen:
            card.live = True
            self.record(card.id, "live")
        for _, why, held in sorted(self.cancelled.get(card.id, [])):
            self.record(card.id, "cancelled", why=why, cause=held)
        for index, cause in self.began.get(card.id, []):
            card.detectors[index].held = self.record(card.id, "held", why="trigger[%d]" % index, cause=cause)
        if card.id in self.completions:
            self.complete(card, *min(self.completions[card.id], key=lambda c: c[0]))

    def complete(self, card, index, cause, depth):
        why = self.blocks(card, depth)
        if why:
            self.record(card.id, "blocked", why=why, cause=cause)
            return
        limits = self.profile["quarantine"]
        recent = [t for t in card.fired if t > self.now - duration(limits["within"])]
        if len(recent) + 1 > limits["fires"]:
            self.record(card.id, "quarantined", why="fires", cause=cause)
            self.quarantine(card)
            return
        card.fired.append(self.now)
        n = self.record(card.id, "fired", why="trigger[%d]" % index, cause=cause)
        self.depths[n] = depth
        card.queue = Queue(card, n)
        self.advance(card.queue)

    def blocks(self, card, depth):
        if not card.live:
            return "not_live"
        if card.quarantined:
            return "quarantined"
        if depth >= 5:
            return "depth"
        if card.fired and self.now < card.fired[-1] + card.cooldown:
            return "cooldown"
        if card.queue:
            return "reentry"
        for i, clause in enumerate(card.only_if):
            if self.condition(clause) is not True:
                return "only_if[%d]" % i
        return None

    def quarantine(self, card):
        card.quarantined = True
        for detector in card.detectors:
            self.stop(detector.hold)
            detector.hold = None
        for actuator in self.actuators.values():
            for lease in [l for l in actuator.stack if l.card is card]:
                self.drop_lease(actuator, lease)
                self.ends_to_log.append((actuator, lease, "quarantined"))

    # Queues, rule 12.

    def advance(self, queue):
        if queue.index >= len(queue.card.text["then"]):
            queue.card.queue = None
            return
        action = queue.action()
        if "set" in action:
            self.requests.append((queue, action))
        elif "do" in action:
            self.dos.append((queue, action))
        else:
            self.timer(self.now + duration(action["wait"]), "waits", queue.card.id, queue.n, queue.index, lambda: self.finish(queue, True))

    def finish(self, queue, well):
        if queue is None or queue.card.queue is not queue:
            return
        if not well and queue.action().get("on_error") != "continue":
            queue.card.queue = None
            return
        queue.index += 1
        self.advance(queue)

    # One round: by actuator path, then the do actions by card id.

    def round(self):
        requests, self.requests = sorted(self.requests, key=lambda r: r[0].card.id), []
        dos, self.dos = sorted(self.dos, key=lambda d: d[0].card.id), []
        ended, self.ended = self.ended, {}
        to_log, self.ends_to_log = self.ends_to_log, []
        to_go, self.ends_to_go = self.ends_to_go, []
        for path, actuator in self.actuators.items():
            winner = self.arbitrate(actuator, [r for r in requests if r[1]["set"] == path])
            last = ended.get(path)
            for _, lease, why in sorted((e for e in to_log if e[0] is actuator), key=lambda e: e[1].card.id):
                n = self.record(lease.card.id, "ended", why=why, actuator=path, cause=lease.n)
                if lease is actuator.top:
                    last = (lease, n)
            if winner:
                self.grant(actuator, *winner)
            elif last:
                self.return_or_end(actuator, *last)
            elif actuator in to_go and actuator.end:
                self.go_end(actuator)
        for queue, action in dos:
            self.do(queue, action)

    def gate(self, actuator, action):
        state = self.drive_state()
        if state not in actuator.states:
            return "state:" + state
        if action.get("at_end", "restore") == "restore" and actuator.base is None:
            return "base"
        if actuator.started is not None and self.now < actuator.started + actuator.min_interval:
            return "interval"
        return None

    def refuse(self, what, why, actuator, queue, action):
        self.record(queue.card.id, what, why=why, action="set", actuator=actuator.path, value=show(action["to"]), cause=queue.n)
        self.finish(queue, False)

    def in_force(self, actuator):
        """The top lease: after an end the one that it returns to, later than now (rule 10)."""
        if actuator.top in actuator.stack:
            return actuator.top
        later = [l for l in actuator.stack if l.deadline > self.now]
        return later[-1] if later else None

    def arbitrate(self, actuator, requests):
        """The request that is granted, if any (rule 9)."""
        passed, denied = [], set()
        for queue, action in requests:
            why = self.gate(actuator, action)
            if why:
                denied.add(queue.card.id)
                self.refuse("denied", why, actuator, queue, action)
            else:
                passed.append((queue, action))
        if passed and actuator.held_off is not None and self.now < actuator.held_off:
            for queue, action in passed:
                self.refuse("lost", "winner:driver", actuator, queue, action)
            return None
        if not passed:
            return None
        top = self.in_force(actuator)
        rank = lambda card: (-card.priority, 0 if top and top.card is card else 1, card.id)
        best = min([q.card for q, _ in passed] + ([top.card] if top else []), key=rank)
        granted = [r for r in passed if r[0].card is best]
        losers = {q.card.id: (q, a) for q, a in passed if q.card is not best}
        displaced = top.card.id if granted and top and top.card is not best else None
        if displaced in denied:
            self.marks.add("denied-and-displaced")
        for card in sorted(set(losers) | {displaced} - {None}):
            if card == displaced:
                self.record(card, "lost", why="winner:" + best.id, action="set", actuator=actuator.path, value=show(top.value),
                            cause=granted[0][0].n)
            if card in losers:
                self.refuse("lost", "winner:" + best.id, actuator, *losers[card])
        return granted[0] if granted else None

    def grant(self, actuator, queue, action):
        for lease in [l for l in actuator.stack if l.card is queue.card]:
            self.drop_lease(actuator, lease)
        self.drop_end(actuator)
        length, value = duration(action["lease"]), action["to"]
        n = self.record(queue.card.id, "acted", action="set", actuator=actuator.path, value=show(value),
                        lease=show(Fraction(length, 10**9)), cause=queue.n)
        self.depths[n] = self.depths[queue.n]
        lease = Lease(queue.card, queue.n, queue.index, n, value, self.now + length, action.get("at_end", "restore"))
        lease.timer = self.timer(lease.deadline, "leases", queue.card.id, queue.n, queue.index,
                                 lambda: self.end_lease(actuator, lease, "duration"))
        actuator.stack.append(lease)
        actuator.top, actuator.started = lease, self.now
        self.call(actuator, n, value, lease, "set", queue)

    def do(self, queue, action):
        name = action["do"]
        text, state, last = self.profile["actions"][name], self.drive_state(), self.done_at.get(name)
        why = None
        if state not in text["states"]:
            why = "state:" + state
        elif last is not None and self.now < last + duration(text.get("min_interval", "0s")):
            why = "interval"
        if why:
            self.record(queue.card.id, "denied", why=why, action=name, cause=queue.n)
            self.finish(queue, False)
            return
        n = self.record(queue.card.id, "acted", action=name, cause=queue.n)
        self.done_at[name] = self.now
        if self.judging and "call" in text:
            self.await_reply(n, Call(queue.card, queue, name), duration(text["call"]["within"]), queue.n, queue.index)
        else:
            self.finish(queue, True)

    # Leases and ends, rule 10.

    def drop_lease(self, actuator, lease):
        self.stop(lease.timer)
        actuator.stack.remove(lease)

    def drop_end(self, actuator):
        if actuator.end:
            self.stop(actuator.end.retry)
            actuator.end = None

    def end_lease(self, actuator, lease, why):
        self.drop_lease(actuator, lease)
        n = self.record(lease.card.id, "ended", why=why, actuator=actuator.path, cause=lease.n)
        if lease is actuator.top:
            self.ended[actuator.path] = (lease, n)

    def follow_state(self):
        """Ends what the new state does not allow, and lets waiting ends go."""
        state = self.drive_state()
        if state == self.state:
            return
        self.state = state
        for actuator in self.actuators.values():
            if state not in actuator.states:
                for lease in sorted(actuator.stack, key=lambda l: l.card.id):
                    self.end_lease(actuator, lease, "state:" + state)
            if actuator.end and actuator.end.waiting:
                self.ends_to_go.append(actuator)

    def return_or_end(self, actuator, lease, n):
        lower = self.in_force(actuator)
        if lower:
            self.return_to(actuator, lower, n)
            return
        actuator.top = None
        if lease.at_end == "leave":
            actuator.base = lease.value
            self.unjudge(actuator)
            return
        if lease.at_end != "restore":
            actuator.base = lease.at_end["set"]
        actuator.end = End(lease, n, actuator.base)
        self.go_end(actuator)

    def return_to(self, actuator, lease, cause):
        n = self.record(lease.card.id, "acted", action="set", actuator=actuator.path, value=show(lease.value),
                        lease=show(Fraction(lease.deadline - self.now, 10**9)), cause=cause)
        self.depths[n] = self.depths[lease.firing]
        actuator.top, lease.call = lease, n
        self.call(actuator, n, lease.value, lease, "set", None)

    def go_end(self, actuator):
        end, state = actuator.end, self.drive_state()
        why = None
        if actuator.low is not None and not actuator.low <= end.value <= actuator.high:
            why = "range"
        elif state not in actuator.end_states:
            why = "state:" + state
        end.waiting = why is not None
        if end.waiting:
            if not end.denied:
                self.record(end.lease.card.id, "denied", why=why, action="end", actuator=actuator.path,
                            value=show(end.value), cause=end.n)
            end.denied = True
            return
        n = self.record(end.lease.card.id, "acted", action="end", actuator=actuator.path, value=show(end.value), cause=end.n)
        self.depths[n] = self.depths[end.lease.firing]
        end.call = n
        self.call(actuator, n, end.value, end.lease, "end", None)

    # Calls, replies and readbacks, rules 11 and 12.

    def call(self, actuator, n, value, lease, action, queue):
        actuator.commands.append(value)
        over = self.now + actuator.readback_time()
        actuator.newest = (n, over) if actuator.within is not None else None
        if action == "end":
            actuator.end_over = over
        self.unjudge(actuator)
        if not self.judging or actuator.limit is None:
            if action == "end":
                actuator.end = None
            self.finish(queue, True)
            return
        order = (lease.card.id, lease.firing, lease.index)
        if actuator.within is not None:
            actuator.judged = Judged(n, value, self.timer(over, "readbacks", *order, lambda: self.unsettled(actuator, lease, action, n)))
        self.await_reply(n, Call(lease.card, queue, action, actuator, lease), actuator.limit, lease.firing, lease.index)

    def await_reply(self, n, call, limit, firing, index):
        self.calls[n] = call
        call.timer = self.timer(self.now + limit, "replies", call.card.id, firing, index, lambda: self.reply(n, "timeout"))

    def unjudge(self, actuator):
        if actuator.judged:
            self.stop(actuator.judged.timer)
            actuator.judged = None

    def unsettled(self, actuator, lease, action, n):
        self.record(lease.card.id, "failed", why="readback", action=action, actuator=actuator.path, cause=n)
        actuator.judged = None

    def reply(self, n, failure):
        call = self.calls.pop(n, None)
        if call is None:
            self.record("-", "dropped", why="reply")
            return
        self.stop(call.timer)
        path = call.actuator.path if call.actuator else None
        self.record(call.card.id, "failed" if failure else "replied", why=failure, action=call.action, actuator=path, cause=n)
        if call.actuator:
            (self.refused if failure else self.accepted)(call, n, failure)
        self.finish(call.queue, not failure)

    def accepted(self, call, n, _):
        actuator = call.actuator
        if actuator.judged and actuator.judged.n == n:
            actuator.judged.replied = True
        if actuator.end and actuator.end.call == n:
            self.drop_end(actuator)

    def refused(self, call, n, why):
        actuator, end = call.actuator, call.actuator.end
        if actuator.judged and actuator.judged.n == n:
            self.unjudge(actuator)
        if call.action == "set":
            if call.lease in actuator.stack:
                if n != call.lease.call:
                    self.marks.add("older-call")
                self.end_lease(actuator, call.lease, why)
        elif end and end.call == n:
            end.backoff = min(max(1, 2 * end.backoff), 60)
            end.retry = self.timer(self.now + end.backoff * 10**9, "retries", call.card.id, call.lease.firing, call.lease.index,
                                   lambda: self.ends_to_go.append(actuator))

    def readback(self, actuator, value):
        judged = actuator.judged
        ending = actuator.end is not None or actuator.path in self.ended or judged is not None and not judged.settled
        if actuator.path in self.ended and not actuator.stack:
            self.marks.add("readback-of-the-ended")
        if judged and (actuator.stack or ending):
            if self.strays(actuator, judged, value):
                self.hand(actuator, value)
                return
            if not judged.settled and judged.replied and self.within_a_step(actuator, judged, value):
                judged.settled = True
                self.stop(judged.timer)
                actuator.settle(value)
        frozen = actuator.end_over is not None and self.now < actuator.end_over
        if not actuator.stack and not ending and not frozen:
            actuator.base = value
            actuator.settle(value)

    def strays(self, actuator, judged, value):
        if actuator.labels:
            return judged.settled and value != judged.command
        if judged.settled:
            return abs(value - judged.command) > actuator.step
        low, high = actuator.hull()
        return not low - actuator.step <= value <= high + actuator.step

    def within_a_step(self, actuator, judged, value):
        return value == judged.command or not actuator.labels and abs(value - judged.command) < actuator.step

    def hand(self, actuator, value):
        n = self.record("-", "override", actuator=actuator.path, value=show(value))
        for lease in sorted(actuator.stack, key=lambda l: l.card.id):
            self.drop_lease(actuator, lease)
            self.record(lease.card.id, "ended", why="override", actuator=actuator.path, cause=n)
        self.drop_end(actuator)
        self.ended.pop(actuator.path, None)
        self.unjudge(actuator)
        actuator.top, actuator.base = None, value
        actuator.held_off = self.now + actuator.holdoff
        actuator.end_over = None
        actuator.settle(value)


def main():
    for line in sys.stdin:
        case = json.loads(line, parse_float=number)
        case["factors"] = {p: Fraction(f) for p, f in case.get("factors", {}).items()}
        model = Model(case)
        for event in case["stream"]:
            model.take(event)
        print(json.dumps({"log": model.log, "marks": sorted(model.marks)}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
