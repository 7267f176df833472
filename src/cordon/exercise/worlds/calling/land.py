"""Where people are and which cell hears them: towns, spots, masts and their sectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cordon.exercise.worlds.calling.drawing import Data, Floats, Ints, Rng, Singles

KEPT = 4  # cells that a phone at one spot may use
_NEAR = 6  # masts that are looked at for a spot
_M_PER_DEGREE = 111_195.0  # of a great circle, mean radius of WGS 84
_FRONT_TO_BACK_DB = 25.0  # greatest loss of a sector's antenna (3GPP TR 36.942, table 4.3)


@dataclass(slots=True)
class Land:
    """Spots (buildings, streets), and the sectors of every network.

    Attributes:
        lat, lon: of spots (degrees), neighbours mostly one after another. region: of each.
        first, last: spots of each region, `last` not among them. urban: regions that are cities.
        cell_ids, cell_lat, cell_lon, azimuth, beamwidth, reach: of sectors (degrees, metres).
        heard: sectors that a phone may use, [network, spot, KEPT], the likeliest first.
        odds: cumulative probability of each, [network, spot, KEPT].
        centrality: of each spot, 0 in the middle of its region and 1 at its edge.
    """

    lat: Floats
    lon: Floats
    region: Ints
    first: Ints
    last: Ints
    urban: list[int]
    share: Floats
    centrality: Singles
    cell_ids: list[str]
    cell_lat: Floats
    cell_lon: Floats
    azimuth: Floats
    beamwidth: Floats
    reach: Floats
    heard: Ints
    odds: Singles

    def cells(self, network: Ints, spot: Ints, rng: Rng) -> Ints:
        """The sector of each phone: mostly the strongest, now and then a neighbour."""
        which = (rng.random(len(spot), np.float32)[:, None] > self.odds[network, spot]).sum(1)
        return np.asarray(self.heard[network, spot, np.minimum(which, KEPT - 1)])

    def table(self) -> pa.Table:
        """The sectors as the format `cells` has them; positions of masts to a metre."""
        return pa.table(
            {
                "cell": self.cell_ids,
                "lat": np.round(self.cell_lat, 5),
                "lon": np.round(self.cell_lon, 5),
                "azimuth_deg": np.round(self.azimuth),
                "beamwidth_deg": np.round(self.beamwidth),
                "range_m": np.round(self.reach),
            }
        )


def build_land(data: Data, networks: list[Data], scale: float, people: int, rng: Rng) -> Land:
    """Make spots and masts.

    Towns shrink with the world (fourth root of its scale) and masts become fewer (square root),
    so that masts stand as dense in a small world as in a large one.

    Args:
        data: the part `land` of the YAML, drawn. networks: its `networks`. people: how many.
    """
    shrink = float(np.clip(scale**0.25, 0.3, 2.0))
    regions = [dict(r, urban=True) for r in data["cities"]]
    regions += [dict(r, urban=False) for r in data["countryside"]]
    share = np.array([float(r["share"]) for r in regions]) * rng.uniform(0.8, 1.25, len(regions))
    share /= share.sum()
    xs, ys, lat, lon, region, middle = [], [], [], [], [], []
    for i, r in enumerate(regions):
        n = max(60, round(people * share[i] / data["people_a_spot"]))
        x, y = (_city if r["urban"] else _villages)(r, n, shrink, rng)
        order = np.argsort(_morton(x, y), kind="stable")
        x, y = x[order], y[order]
        xs.append(x)
        ys.append(y)
        lat.append(r["lat"] + y / _M_PER_DEGREE)
        lon.append(r["lon"] + x / (_M_PER_DEGREE * np.cos(np.radians(r["lat"]))))
        region.append(np.full(n, i, np.int32))
        far = np.hypot(x, y)
        middle.append((np.argsort(np.argsort(far)) / n).astype(np.float32))
    sizes = np.array([len(x) for x in xs])
    last = np.cumsum(sizes).astype(np.int32)
    masts = _Masts(data, networks, scale, share, rng)
    for i, r in enumerate(regions):
        masts.region(i, r, xs[i], ys[i])
    return Land(
        np.concatenate(lat),
        np.concatenate(lon),
        np.concatenate(region),
        (last - sizes).astype(np.int32),
        last,
        [i for i, r in enumerate(regions) if r["urban"]],
        share,
        np.concatenate(middle),
        *masts.done(),
    )


def _city(r: Data, n: int, shrink: float, rng: Rng) -> tuple[Floats, Floats]:
    """Dense in the middle, thinner outwards (exponential), with some sub-centres."""
    radius = r["radius_km"] * 1000.0 * shrink
    far = rng.gamma(1.6, radius / 3.2, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    x, y = far * np.cos(angle), far * np.sin(angle)
    subs = rng.normal(0, radius * 0.5, (5, 2))
    own = rng.integers(0, 5, n)
    in_sub = rng.random(n) < 0.35
    x = np.where(in_sub, subs[own, 0] + rng.normal(0, radius * 0.12, n), x)
    y = np.where(in_sub, subs[own, 1] + rng.normal(0, radius * 0.12, n), y)
    return x, y


def _villages(r: Data, n: int, shrink: float, rng: Rng) -> tuple[Floats, Floats]:
    """Villages of very different sizes, strewn over a district."""
    count = max(4, round(r["villages"] * shrink * shrink))
    spread = r["radius_km"] * 1000.0 * shrink
    at = rng.uniform(-spread, spread, (count, 2))
    weight = rng.pareto(1.2, count) + 0.2
    own = rng.choice(count, n, p=weight / weight.sum())
    size = 250.0 + 500.0 * rng.random(count)
    return (
        at[own, 0] + rng.normal(0, 1, n) * size[own],
        at[own, 1] + rng.normal(0, 1, n) * size[own],
    )


def _morton(x: Floats, y: Floats) -> Ints:
    """Order along a Z curve (Morton 1966), so that near numbers are mostly near places."""
    span = max(float(np.ptp(x)), float(np.ptp(y)), 1.0)
    cells = [((v - v.min()) / span * 4095).astype(np.int64) for v in (x, y)]
    code = np.zeros(len(x), np.int64)
    for bit in range(12):
        for shift, cell in enumerate(cells):
            code |= ((cell >> bit) & 1) << (2 * bit + shift)
    return code


class _Masts:
    """Puts up masts region by region and finds what each spot hears."""

    def __init__(
        self, data: Data, networks: list[Data], scale: float, share: Floats, rng: Rng
    ) -> None:
        self.data, self.networks, self.share, self.rng = data, networks, share, rng
        self.factor = float(np.sqrt(max(scale, 1e-3)))
        self.ids: list[str] = []
        self.columns: list[list[Floats]] = [[], [], [], [], []]
        self.heard: list[list[Ints]] = [[] for _ in networks]
        self.odds: list[list[Singles]] = [[] for _ in networks]
        self.sites = [0] * len(networks)

    def region(self, i: int, r: Data, x: Floats, y: Floats) -> None:
        """Masts of every network in one region; some stand on a tower of the first network."""
        shared: Floats | None = None
        weight = self.share**0.75
        for k, network in enumerate(self.networks):
            wanted = self.data["masts"] * self.factor * network["coverage"]
            n = max(3, round(wanted * weight[i] / weight.sum()))
            at = self._places(x, y, n)
            if shared is not None:
                own = self.rng.random(n) > self.data["shared_towers"]
                pick = shared[self.rng.integers(0, len(shared), n)]
                at = np.where(own[:, None], at, pick)
            else:
                shared = at
            self._sectors(i, k, r, at)
            self._listen(k, at, x, y)

    def _places(self, x: Floats, y: Floats, n: int) -> Floats:
        """Places of masts by Lloyd's algorithm: where people are, yet never side by side."""
        some = self.rng.integers(0, len(x), min(len(x), max(400, 30 * n)))
        spots = np.stack([x[some], y[some]], 1) + self.rng.normal(0, 60, (len(some), 2))
        at = spots[self.rng.permutation(len(spots))[:n]]
        if len(at) < n:
            at = np.resize(at, (n, 2)) + self.rng.normal(0, 300, (n, 2))
        for _ in range(4):
            own = np.argmin(((spots[:, None, :] - at[None]) ** 2).sum(2), 1)
            count = np.bincount(own, minlength=n)
            for axis in (0, 1):
                total = np.bincount(own, spots[:, axis], minlength=n)
                at[:, axis] = np.where(count > 0, total / np.maximum(count, 1), at[:, axis])
        return np.asarray(at + self.rng.normal(0, 40, at.shape))

    def _sectors(self, i: int, k: int, r: Data, at: Floats) -> None:
        n, rng = len(at), self.rng
        apart = np.sort(np.hypot(*(at[:, None, :] - at[None]).transpose(2, 0, 1)), 1)
        near = apart[:, min(3, n - 1)] if n > 1 else np.full(n, 3000.0)
        reach = np.clip(near * rng.uniform(1.0, 1.6, n), 400.0, 15_000.0)
        turned = rng.uniform(0, 120, n)
        self.azimuths = ((turned[:, None] + [0, 120, 240] + rng.normal(0, 6, (n, 3))) % 360).ravel()
        self.beams = rng.choice([65.0, 65.0, 78.0, 90.0], n).repeat(3)
        lat = r["lat"] + at[:, 1] / _M_PER_DEGREE
        lon = r["lon"] + at[:, 0] / (_M_PER_DEGREE * np.cos(np.radians(r["lat"])))
        values = (lat.repeat(3), lon.repeat(3), self.azimuths, self.beams, reach.repeat(3))
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)
        self.offset = len(self.ids)
        # location areas hold some dozens of masts
        for m in range(n):
            lac = 1000 + 200 * k + 10 * i + m // 40
            code = f"410-{self.networks[k]['mnc']}-{lac}-"
            self.ids += [f"{code}{(self.sites[k] + m) * 10 + 101 + s}" for s in range(3)]
        self.sites[k] += n

    def _listen(self, k: int, at: Floats, x: Floats, y: Floats) -> None:
        """What each spot hears: path loss, antenna pattern and shadowing (3GPP TR 36.942)."""
        rng, near = self.rng, min(_NEAR, len(at))
        heard = np.empty((len(x), KEPT), np.int32)
        odds = np.empty((len(x), KEPT), np.float32)
        for low in range(0, len(x), 4096):
            part = slice(low, low + 4096)
            dx = x[part, None] - at[None, :, 0]
            dy = y[part, None] - at[None, :, 1]
            far = np.hypot(dx, dy)
            masts = np.argpartition(far, near - 1, 1)[:, :near]
            rows = np.arange(len(far))[:, None]
            d = np.maximum(far[rows, masts], 30.0)
            angle = np.degrees(np.arctan2(dx[rows, masts], dy[rows, masts]))
            loss = 35.0 * np.log10(d) + rng.normal(0, self.data["shadowing_db"], d.shape)
            sectors = masts[:, :, None] * 3 + np.arange(3)
            off = (angle[:, :, None] - self.azimuths[sectors] + 180.0) % 360.0 - 180.0
            # A(θ) = −min[12 (θ/θ3dB)², 25 dB]
            pattern = np.minimum(12.0 * (off / self.beams[sectors]) ** 2, _FRONT_TO_BACK_DB)
            signal = -(loss[:, :, None] + pattern + rng.normal(0, 1.5, off.shape))
            signal, sectors = (v.reshape(len(far), -1) for v in (signal, sectors))
            best = np.argsort(-signal, 1, kind="stable")[:, :KEPT]
            top = signal[rows, best]
            weight = np.exp((top - top[:, :1]) / self.data["fading_db"])
            heard[part] = sectors[rows, best] + self.offset
            odds[part] = np.cumsum(weight, 1) / weight.sum(1, keepdims=True)
        self.heard[k].append(heard)
        self.odds[k].append(odds)

    def done(self) -> tuple[list[str], Floats, Floats, Floats, Floats, Floats, Ints, Singles]:
        lat, lon, azimuth, beam, reach = (np.concatenate(c) for c in self.columns)
        heard = np.stack([np.concatenate(h) for h in self.heard])
        odds = np.stack([np.concatenate(o) for o in self.odds])
        return self.ids, lat, lon, azimuth, beam, reach, heard, odds
