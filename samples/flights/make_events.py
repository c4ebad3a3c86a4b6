#!/usr/bin/env python3
"""Turns the nycflights13 tables (CC0; every 2013 departure from New York) into event streams and weather.

usage: make_events.py DATA_DIR OUT_DIR [--month YYYY-MM]
       DATA_DIR holds flights.csv, weather.csv, airports.csv and planes.csv; without --month the whole year is written

departures.jsonl.gz     one event per flight that left, in order of its actual departure
arrivals.jsonl.gz       one event per flight that landed (the label: arr_delay), in order of its arrival
cancellations.jsonl.gz  one event per cancelled flight, at its scheduled departure
weather.jsonl.gz        hourly weather per origin airport

`ts` is the event time in epoch milliseconds, UTC; a month is cut by it. A missing value is JSON null. The same input
gives the same bytes.
"""
import argparse
import csv
import gzip
import json
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ABSENT = ("NA", "")
NEW_YORK = ZoneInfo("America/New_York")


def rows(folder, name):
    with open(f"{folder}/{name}.csv", newline="") as file:
        yield from csv.DictReader(file)


def number(text):
    return None if text in ABSENT else float(text)


def integer(text):
    return None if text in ABSENT else int(float(text))


def string(text):
    return None if text in ABSENT else text


def milliseconds(moment):
    return int(moment.timestamp() * 1000)


def hour_utc(row):
    return datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def arrival(row, left, zone):
    """The moment of landing: the table has the local clock only, so the day follows from departure and air time."""
    hour, minute = divmod(int(row["arr_time"]), 100)
    earliest = left + timedelta(minutes=30 if row["air_time"] in ABSENT else float(row["air_time"]))
    landed = earliest.astimezone(zone).replace(hour=hour % 24, minute=minute, second=0)
    while landed.astimezone(timezone.utc) < earliest - timedelta(minutes=5):
        landed += timedelta(days=1)
    return landed.astimezone(timezone.utc)


def flights(folder):
    """Departures, arrivals and cancellations, unsorted."""
    zones = {a["faa"]: ZoneInfo(a["tzone"]) for a in rows(folder, "airports") if "/" in a["tzone"]}
    planes = {p["tailnum"]: p for p in rows(folder, "planes")}
    departures, arrivals, cancellations = [], [], []
    for row in rows(folder, "flights"):
        scheduled = hour_utc(row) + timedelta(minutes=int(row["minute"]))
        flight = dict(
            flight_id=f'{row["carrier"]}{row["flight"]}-{row["origin"]}-{scheduled:%Y%m%d%H%M}',
            carrier=row["carrier"], origin=row["origin"], dest=row["dest"], tailnum=string(row["tailnum"]))
        planned = dict(flight, distance=integer(row["distance"]), scheduled_at=milliseconds(scheduled))
        if row["dep_time"] in ABSENT:
            cancellations.append(dict(planned, ts=milliseconds(scheduled)))
            continue
        left = scheduled + timedelta(minutes=float(row["dep_delay"]))
        plane = planes.get(row["tailnum"], {})
        departures.append(dict(
            planned, dep_delay=number(row["dep_delay"]), plane_year=integer(plane.get("year", "NA")),
            seats=integer(plane.get("seats", "NA")), ts=milliseconds(left)))
        if row["arr_time"] in ABSENT or row["arr_delay"] in ABSENT:
            continue
        landed = arrival(row, left, zones.get(row["dest"], NEW_YORK))
        arrivals.append(dict(
            flight, arr_delay=number(row["arr_delay"]), air_time=number(row["air_time"]), ts=milliseconds(landed)))
    return dict(departures=departures, arrivals=arrivals, cancellations=cancellations)


def weather(folder):
    names = ("temp", "humid", "wind_speed", "precip", "pressure", "visib")
    return [
        dict(origin=row["origin"], **{name: number(row[name]) for name in names}, ts=milliseconds(hour_utc(row)))
        for row in rows(folder, "weather")]


def month_bounds(text):
    """First and last-plus-one epoch millisecond of YYYY-MM, UTC."""
    first = datetime.strptime(text, "%Y-%m").replace(tzinfo=timezone.utc)
    return milliseconds(first), milliseconds((first + timedelta(days=32)).replace(day=1))


def write(path, events):
    """Sorted by event time; no name and no time in the gzip header, so that equal events are equal bytes."""
    events.sort(key=lambda event: event["ts"])
    with open(path, "wb") as file, gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed:
        for event in events:
            packed.write((json.dumps(event, separators=(",", ":")) + "\n").encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--month", metavar="YYYY-MM")
    options = parser.parse_args()
    first, end = month_bounds(options.month) if options.month else (0, 1 << 62)
    for name, events in dict(flights(options.data), weather=weather(options.data)).items():
        kept = [event for event in events if first <= event["ts"] < end]
        write(f"{options.out}/{name}.jsonl.gz", kept)
        print(f"{name}: {len(kept)} events", file=sys.stderr)


if __name__ == "__main__":
    main()
