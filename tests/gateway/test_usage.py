"""What was called is counted once, by one worker a second, and outlives it."""

import contextlib
import os
import signal
import threading
import time

import pytest

from lib import base
from lib.gateway import KEY, Gateway, key_of


def counted(server):
    return {outcome: int(calls) for outcome, calls in server.sql(
        "SELECT outcome, sum(calls) FROM usage_hour GROUP BY 1")}


def workers(server):
    """Pids of the processes that serve."""
    found = []
    for pid in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
            if parent == server.portal.pid:
                found.append(int(pid))
    return found


class Callers:
    """Threads that call until they are stopped; what they were answered."""

    def __init__(self, server, key, n=4):
        self.server, self.key, self.stopping = server, key, False
        self.sent = self.answered = 0
        self.lock = threading.Lock()
        self.times = []
        self.threads = [threading.Thread(target=self.run) for _ in range(n)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stopping:
            one = Gateway(self.server)
            try:
                while not self.stopping:
                    with self.lock:
                        self.sent += 1
                    code = one.check(self.key)
                    if code == "allowed":
                        with self.lock:
                            self.answered += 1
                            self.times.append(time.monotonic())
            except OSError:
                pass
            except Exception:  # http.client's, when it is cut
                pass
            finally:
                one.close()

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def test_counted_by_outcome(server, key):
    gateway = Gateway(server)
    for _ in range(7):
        assert gateway.check(key) == "allowed"
    for _ in range(3):
        assert gateway.check("0" * 32) == "unknown_key"
    server.sql("UPDATE subscription SET expires_at = now()")
    base.wait_until(lambda: gateway.check(key) == "expired", 5, "the end")
    server.sql("UPDATE subscription SET expires_at = NULL")
    base.wait_until(lambda: gateway.check(key) == "allowed", 5, "the return")
    gateway.close()
    base.wait_until(lambda: counted(server).get("allowed", 0) >= 8, 5,
                    "the flush")
    rows = counted(server)
    assert rows["unknown_key"] == 3 and rows["expired"] >= 1
    address, recent = server.sql(
        "SELECT host(last_used_address), last_used_at > now() - interval "
        "'1 minute' FROM subscription_key WHERE last_used_at IS NOT NULL")[0]
    assert (address, recent) == ("127.0.0.1", True)


def test_quota_outlives_the_portal(make_server):
    server = make_server()
    key = key_of(server)
    server.sql("UPDATE product SET calls_a_day = 20, calls_a_month = 30")
    gateway = Gateway(server)
    base.wait_until(lambda: "day" in (gateway.ask(
        "/check/envoy/x", headers=[(KEY, key)]).headers["ratelimit"] or ""),
        5, "the plan")
    while gateway.check(key) == "allowed":
        pass
    assert gateway.check(key) == "quota_exceeded"
    gateway.close()
    assert counted(server).get("allowed", 0) <= 20
    server.stop_portal()
    # SIGTERM: all of it is written.
    assert server.sql("SELECT day_calls, month_calls FROM usage_count") == [
        (20, 20)]
    assert counted(server)["allowed"] == 20
    server.start_portal()
    gateway = Gateway(server)
    answer = gateway.ask("/check/envoy/x", headers=[(KEY, key)])
    assert answer.status == 429
    assert answer.headers["x-latchkey-code"] == "quota_exceeded"
    assert '"day";r=0' in answer.headers["ratelimit"]
    server.sql("UPDATE product SET calls_a_day = NULL")
    base.wait_until(lambda: gateway.check(key) == "allowed", 5, "the plan")
    answer = gateway.ask("/check/envoy/x", headers=[(KEY, key)])
    assert '"month";r=8' in answer.headers["ratelimit"]
    gateway.close()


def test_workers_die_in_turn(make_server):
    """Whoever flushes: the next one does, and nothing that was answered is
    lost or counted twice."""
    server = make_server(workers=2)
    key = key_of(server)
    callers = Callers(server, key)
    for _ in range(4):
        before = counted(server).get("allowed", 0)
        base.wait_until(lambda before=before: counted(server).get(
            "allowed", 0) > before, 10, "a flush")
        pids = workers(server)
        # Kore's other processes have no gateway; a worker is started anew.
        os.kill(max(pids), signal.SIGKILL)
    callers.stop()
    server.stop_portal()
    # A call whose worker died was counted and not answered, or neither.
    assert callers.answered <= counted(server)["allowed"] <= callers.sent


def test_kill_loses_a_second_at_most(make_server):
    server = make_server(workers=2)
    key = key_of(server)
    callers = Callers(server, key)
    base.wait_until(lambda: counted(server).get("allowed", 0) > 0, 10,
                    "a flush")
    pids = [server.portal.pid, *workers(server)]
    killed = time.monotonic()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    callers.stop()
    server.portal.wait()
    server.portal = None
    # A second, the time of a tick, and that of the statement.
    old = sum(at < killed - 2 for at in callers.times)
    assert old <= counted(server)["allowed"] <= callers.sent
