"""A small topology on the real flights, with golden events, for tests that need a file that is known."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]

TOPOLOGY = """\
topology: small
sources:
  departed:
    topic: flights.departures
    key: carrier
    event_time: {field: ts, unit: ms}
    lateness: 30m
    dedupe: {by: flight_id, within: 24h}
    derive: {late: dep_delay > 15}
entities:
  carrier: [carrier]
  route: [origin, dest]
views:
  carrier_departures:
    source: departed
    entity: carrier
    ttl: 3d
    features:
      flights: count over 1h, 24h
      mean_delay: mean(dep_delay) where origin == 'JFK' over 24h
      late_share: mean(late) over 24h
      last_dest: last(dest) over 24h
      busy: flights_1h / nullif(flights_24h, 0)
  route_departures:
    source: departed
    entity: route
    features:
      flights: count over 24h
"""

T0 = 1_357_034_400_000  # 2013-01-01T10:00:00Z
MINUTE = 60_000


def event(number, minute, carrier="AA", origin="JFK", dest="LAX", delay=0.0):
    moment = T0 + minute * MINUTE
    return (
        f'{{"flight_id":"{carrier}{number}","carrier":"{carrier}","origin":"{origin}","dest":"{dest}",'
        f'"tailnum":null,"distance":100,"scheduled_at":{moment},"dep_delay":{delay},"plane_year":null,"seats":null,'
        f'"ts":{moment}}}'
    )


GOLDEN = "\n".join(
    [
        "# Ten o'clock in the morning.",
        '{"case": "one carrier, two airports"}',
        *(
            f'{{"source": "departed", "event": {text}}}'
            for text in [
                event(1, 0, delay=20.0),
                event(2, 10, delay=40.0),
                event(3, 20, origin="LGA", delay=600.0),
                event(4, 100, delay=0.0, dest="BOS"),
                event(5, 101, carrier="UA"),
            ]
        ),
        f'{{"source": "departed", "raw": "not json", "timestamp": {T0 + 102 * MINUTE}}}',
        f'{{"view": "carrier_departures", "key": ["AA"], "at": {T0 + 103 * MINUTE}, "features": {{"flights_1h": 1, '
        '"flights_24h": 4, "mean_delay_24h": 20, "late_share_24h": 0.75, "last_dest_24h": "BOS", "busy": 0.25}}',
        f'{{"view": "route_departures", "key": ["JFK", "LAX"], "at": {T0 + 103 * MINUTE}, "features": {{"flights_24h": 3}}}}',
        f'{{"view": "carrier_departures", "key": ["ZZ"], "at": {T0 + 103 * MINUTE}, "status": "NOT_FOUND"}}',
        f'{{"view": "carrier_departures", "key": ["AA"], "at": {T0 + 5 * 24 * 60 * MINUTE}, "status": "OUTSIDE_MAX_AGE"}}',
        '{"counts": {"departed": {"applied": 5, "dead_lettered": 1, "late": 0, "deduplicated": 0}}}',
        '{"case": "a view that nobody feeds"}',
        '{"view": "carrier_departures", "key": ["AA"], "at": "2013-01-01T10:00:00Z", "status": "NOT_FOUND"}',
        "",
    ]
)


def write(folder, topology=TOPOLOGY, golden=GOLDEN):
    """The topology in a folder of its own, its golden file beside it, schemas where they are looked for."""
    (folder / "topologies").mkdir(exist_ok=True)
    if not (folder / "schemas").exists():
        (folder / "schemas").symlink_to(ROOT / "schemas")
    path = folder / "topologies" / "small.yaml"
    path.write_text(topology)
    (folder / "topologies" / "small.golden.jsonl").write_text(golden)
    return path
