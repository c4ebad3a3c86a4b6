"""A seeded TCP proxy that understands Kafka frames and can lose, delay or hold them.

Addresses in Metadata, FindCoordinator and DescribeCluster answers are rewritten to the proxy's own, so that clients
stay behind it without any setting of the broker. It needs plain text connections.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from kafka.protocol.admin import DescribeClusterRequest
from kafka.protocol.api_header import ResponseClassRegistry
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest
from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    ProduceRequest,
    TxnOffsetCommitRequest,
)

API_KEYS = {
    request.API_KEY: request.__name__.removesuffix("Request")
    for request in (
        ProduceRequest,
        FetchRequest,
        AddOffsetsToTxnRequest,
        AddPartitionsToTxnRequest,
        EndTxnRequest,
        InitProducerIdRequest,
        TxnOffsetCommitRequest,
    )
}
ADDRESS_KEYS = {request.API_KEY for request in (MetadataRequest, FindCoordinatorRequest, DescribeClusterRequest)}
LINGER_ZERO = struct.pack("ii", 1, 0)


@dataclass
class Rule:
    """What happens to the frames of one API.

    `reset-request`: the connection is reset and the request is never forwarded. `reset-response`: it is forwarded,
    and the connection is reset in place of its answer. `delay`: the answer waits `seconds`. `hold`: the answer waits
    until `Proxy.release`.
    """

    api: str
    action: str
    probability: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    fired: int = field(default=0, init=False)


class Proxy:
    """Listens on a free port of 127.0.0.1 in front of `upstream`; further brokers of a cluster get a port when they
    are first named.
    """

    def __init__(self, upstream: str, *, seed: int = 1):
        self.rules: list[Rule] = []
        self.failures: list[Exception] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._closing = False
        self._ports: dict[tuple[str, int], int] = {}
        self._listeners: list[socket.socket] = []
        self._open: set[socket.socket] = set()
        host, port = upstream.rsplit(":", 1)
        self.bootstrap = f"127.0.0.1:{self._port_for(host, int(port))}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def add(self, api: str, action: str, **options) -> Rule:
        rule = Rule(api, action, **options)
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forgets all rules and lets go what is held."""
        with self._lock:
            self.rules.clear()
        self.release()

    def release(self) -> None:
        self._released.set()

    def reset_all(self) -> None:
        """Resets every open connection, as a broker restart would."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _reset(connection)

    def close(self) -> None:
        self._closing = True
        self.release()
        for listener in self._listeners:
            listener.close()
        self.reset_all()
        if self.failures:
            raise self.failures[0]

    def _port_for(self, host: str, port: int) -> int:
        with self._lock:
            if (host, port) not in self._ports:
                listener = socket.create_server(("127.0.0.1", 0), backlog=64)
                self._listeners.append(listener)
                self._ports[host, port] = listener.getsockname()[1]
                threading.Thread(target=self._accept, args=(listener, host, port), daemon=True).start()
            return self._ports[host, port]

    def _accept(self, listener: socket.socket, host: str, port: int) -> None:
        while not self._closing:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((host, port), timeout=5)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.update((client, server))
            pending: dict[int, tuple[int, int]] = {}
            for pump in (self._pump_requests, self._pump_responses):
                threading.Thread(target=self._run, args=(pump, client, server, pending), daemon=True).start()

    def _run(self, pump, client: socket.socket, server: socket.socket, pending: dict) -> None:
        try:
            pump(client, server, pending)
        except OSError:
            pass
        except Exception as error:
            self.failures.append(error)
        finally:
            for end in (client, server):
                _reset(end)
            with self._lock:
                self._open.difference_update((client, server))

    def _pump_requests(self, client, server, pending) -> None:
        while (frame := _read_frame(client)) is not None:
            api_key, version, correlation = struct.unpack_from(">hhi", frame)
            pending[correlation] = (api_key, version)
            if self._matching(api_key, ("reset-request",)):
                return
            server.sendall(struct.pack(">i", len(frame)) + frame)

    def _pump_responses(self, client, server, pending) -> None:
        while (frame := _read_frame(server)) is not None:
            (correlation,) = struct.unpack_from(">i", frame)
            api_key, version = pending.pop(correlation, (-1, 0))
            rule = self._matching(api_key, ("reset-response", "delay", "hold"))
            if rule is not None and rule.action == "reset-response":
                return
            if rule is not None and rule.action == "delay":
                time.sleep(rule.seconds)
            if rule is not None and rule.action == "hold":
                self._released.clear()
                self._released.wait()
            if api_key in ADDRESS_KEYS:
                frame = self._rewrite(frame, api_key, version)
            client.sendall(struct.pack(">i", len(frame)) + frame)

    def _matching(self, api_key: int, actions: tuple[str, ...]) -> Rule | None:
        name = API_KEYS.get(api_key)
        with self._lock:
            for rule in self.rules:
                spent = rule.times is not None and rule.fired >= rule.times
                if (
                    rule.api == name
                    and rule.action in actions
                    and not spent
                    and self._random.random() < rule.probability
                ):
                    rule.fired += 1
                    return rule
        return None

    def _rewrite(self, frame: bytes, api_key: int, version: int) -> bytes:
        response_class = ResponseClassRegistry._response_class_registry[api_key][version]
        response = response_class.decode(frame, header=True)
        response._header = None
        response.API_VERSION = version
        response.with_header(struct.unpack_from(">i", frame)[0])
        if api_key == FindCoordinatorRequest.API_KEY:
            nodes = response.coordinators if version >= 4 else [response]
        else:
            nodes = response.brokers
        for node in nodes:
            if node.host:
                node.port, node.host = self._port_for(node.host, node.port), "127.0.0.1"
        return response.encode(header=True)


def _read_frame(end: socket.socket) -> bytes | None:
    prefix = _read_exactly(end, 4)
    return None if prefix is None else _read_exactly(end, struct.unpack(">i", prefix)[0])


def _read_exactly(end: socket.socket, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        part = end.recv(min(count - len(data), 1 << 20))
        if not part:
            return None
        data += part
    return bytes(data)


def _reset(end: socket.socket) -> None:
    """Closes with RST, and wakes a thread that is blocked reading."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()
