"""The shadows that organs, bones and lesions throw on a drawn chest film."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.phantom_anatomy import Anatomy, Lesion
from inference.phantom_sites import Site
from inference.regions import Box

Plane = NDArray[Any]


def box_of(mask: Plane) -> Box:
    rows = np.flatnonzero((mask > 0.5).any(axis=1))
    columns = np.flatnonzero((mask > 0.5).any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _smooth(value: Plane) -> Plane:
    """0 below -1, 1 above +1, and a soft step between."""
    t = np.clip(value * np.float32(0.5) + np.float32(0.5), 0, 1)
    step: Plane = t * t * (3 - 2 * t)
    return step


class Canvas:
    """The film plane in fractions of its sides, and the shadows that each organ throws on it."""

    def __init__(self, width: int, height: int, anatomy: Anatomy) -> None:
        self.a = anatomy
        self.width, self.height = width, height
        self.x = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
        self.lungs = {side: self.lung(side) for side in ("right", "left")}

    def ellipse(
        self, cx: float, cy: float, rx: float, ry: float, *, tilt: float = 0.0, soft: float = 0.012
    ) -> Plane:
        """A filled ellipse, 1 inside and 0 outside, its edge 2 x `soft` wide."""
        dx, dy = self.x - cx, self.y - cy
        cos, sin = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
        r = np.sqrt(((dx * cos + dy * sin) / rx) ** 2 + ((dy * cos - dx * sin) / ry) ** 2)
        return _smooth((1 - r) * (min(rx, ry) / soft))

    def lung_radius(self, side: str, *, shrink: float = 1.0) -> Plane:
        """1 on the lung's outline, less inside; `shrink` draws a lung collapsed towards its hilum."""
        a = self.a
        sign = 1.0 if side == "left" else -1.0
        hilum_x, hilum_y = a.cx + sign * 0.07 * a.sx, a.cy - 0.02
        lung_x, lung_y = a.cx + sign * a.lung_x * a.sx, a.cy - 0.03
        cx = hilum_x + (lung_x - hilum_x) * shrink
        cy = hilum_y + (lung_y - hilum_y) * shrink
        ry = a.lung_ry * a.sy * shrink
        t = np.clip((self.y - (cy - ry)) / (1.15 * ry), 0, 1)
        rx = a.lung_rx * a.sx * shrink * (0.52 + 0.48 * np.sin(t * np.float32(np.pi / 2)))
        lean = sign * 0.035 * a.sx * (1 - t)
        dx = np.abs((self.x - cx + lean) / rx)
        dy = np.abs((self.y - cy) / ry)
        return (dx**2.5 + dy**2.5) ** np.float32(0.4)

    def dome(self, side: str) -> Plane:
        """The height of the diaphragm over each column: highest in the middle, deep at the chest wall."""
        a = self.a
        sign = 1.0 if side == "left" else -1.0
        t = (self.x - (a.cx + sign * 0.17 * a.sx)) / (0.19 * a.sx)
        return (a.dome[side] + 0.055 * t**2 + 0.02 * np.maximum(sign * t, 0) ** 4).astype(np.float32)

    def lung(self, side: str) -> Plane:
        """The lung's field: inside its outline, above its diaphragm, beside the mediastinum."""
        sign = 1.0 if side == "left" else -1.0
        outline = _smooth((1 - self.lung_radius(side)) * 11)
        above = _smooth((self.dome(side) - self.y) / 0.012)
        beside = _smooth((sign * (self.x - self.a.cx) - 0.035 * self.a.sx) / 0.014)
        return outline * above * beside

    def heart(self) -> Plane:
        """The heart's shadow, wherever it falls."""
        a = self.a
        return self.ellipse(a.heart_x, a.heart_y, a.heart_rx, a.heart_ry, tilt=a.heart_tilt, soft=0.016)

    def heart_box(self) -> Box:
        """The tilted ellipse's extent, in this canvas's pixels."""
        a = self.a
        cos, sin = np.cos(a.heart_tilt), np.sin(a.heart_tilt)
        half_x = float(np.hypot(a.heart_rx * cos, a.heart_ry * sin))
        half_y = float(np.hypot(a.heart_rx * sin, a.heart_ry * cos))
        return self._box(a.heart_x, a.heart_y, half_x, half_y)

    def lesion_box(self, lesion: Lesion) -> Box:
        """Where a lesion is, in this canvas's pixels."""
        if lesion.kind in ("consolidation", "nodule", "cavity"):
            return self._box(lesion.x, lesion.y, lesion.rx, lesion.ry)
        return box_of(self.lesion_mask(lesion) * self.lungs[lesion.side])

    def _box(self, x: float, y: float, half_x: float, half_y: float) -> Box:
        return Box(
            (x - half_x) * self.width,
            (y - half_y) * self.height,
            (x + half_x) * self.width,
            (y + half_y) * self.height,
        )

    def lesion_mask(self, lesion: Lesion) -> Plane:
        """1 where the lesion fully shows, 0 where it does not."""
        lung = self.lungs[lesion.side]
        if lesion.kind == "effusion":
            sign = 1.0 if lesion.side == "left" else -1.0
            lateral = sign * (self.x - self.a.cx) / (0.36 * self.a.sx)
            meniscus = self.dome_top(lesion.side) - lesion.ry - 0.09 * (np.clip(lateral, 0, 1) ** 2 - 0.35)
            fluid: Plane = _smooth((self.y - meniscus) / 0.018) * (np.sign(self.x - self.a.cx) == sign)
            return fluid
        if lesion.kind == "pneumothorax":
            collapsed = _smooth((1 - self.lung_radius(lesion.side, shrink=lesion.rx)) * 14)
            gap: Plane = lung * (1 - collapsed) * _smooth((lesion.ry - self.y) / 0.05)
            return gap
        if lesion.kind == "nodule":
            return self.ellipse(lesion.x, lesion.y, lesion.rx, lesion.ry, soft=0.010)
        if lesion.kind == "cavity":
            wall = self.ellipse(lesion.x, lesion.y, lesion.rx, lesion.ry, soft=0.010)
            ring: Plane = wall * (1 - self.hollow(lesion))
            return ring
        mask = self.ellipse(lesion.x, lesion.y, lesion.rx * 0.92, lesion.ry * 0.92, soft=0.026)
        for dx, dy, size in self.a.lumps:
            x, y = lesion.x + dx * lesion.rx, lesion.y + dy * lesion.ry
            lump = self.ellipse(x, y, size * lesion.rx, size * lesion.ry, soft=0.02)
            mask = mask * (1 - np.float32(0.35) * lump)
        return mask

    def hollow(self, lesion: Lesion) -> Plane:
        """The air inside a cavity's wall."""
        return self.ellipse(lesion.x, lesion.y, 0.64 * lesion.rx, 0.64 * lesion.ry, soft=0.010)

    def dome_top(self, side: str) -> float:
        """The highest point of one half of the diaphragm."""
        return float(self.a.dome[side])

    def film(self, look: Site) -> Plane:
        """The film without its grain."""
        a = self.a
        tissue = self.body()
        lungs = self.lungs["right"] + self.lungs["left"]
        heart = self.heart()
        air = lungs * (1 - np.float32(0.88) * heart) * (1 - np.float32(0.9) * self.mediastinum())
        air = air * (1 - np.float32(1.0) * self.vessels() * (1 - heart))
        filled = np.zeros_like(air)
        emptied = np.zeros_like(air)
        lines = np.zeros_like(air)
        for lesion in a.lesions:
            mask = self.lesion_mask(lesion)
            strength = np.float32(lesion.density * look.contrast)
            if lesion.kind == "pneumothorax":
                emptied = emptied + strength * mask
                edge = np.abs(1 - self.lung_radius(lesion.side, shrink=lesion.rx))
                line = np.clip(1 - edge * 16, 0, 1) * _smooth((lesion.ry - self.y) / 0.05)
                lines = lines + line * self.lungs[lesion.side] * strength
            else:
                filled = np.maximum(filled, strength * mask)
            if lesion.kind == "cavity":
                emptied = emptied + strength * self.hollow(lesion) * self.lungs[lesion.side]
        air = air * (1 - filled)
        air = air + emptied * np.clip(lungs * np.float32(1.22) - air, 0, 1)
        density = tissue - np.float32(0.40) * air + self.bones() * (0.55 + 0.45 * lungs)
        density = density + np.float32(0.07) * lines - np.float32(0.10) * self.stomach() * (1 - lungs)
        density = density * self.inside()
        film = np.float32(a.exposure * look.exposure) * np.maximum(density, 0) ** np.float32(a.gamma) + 0.02
        marked: Plane = np.maximum(film, self.marker() * np.float32(0.9)).astype(np.float32)
        return marked

    def inside(self) -> Plane:
        """The patient's outline: neck, sloping shoulders, chest wall."""
        a = self.a
        rows = self.y[:, 0]
        neck = 0.105 + 0.36 * _smooth((rows - 0.115) / 0.115)
        arms = 0.05 * np.exp(-(((rows - 0.30) / 0.11) ** 2)) - 0.02 * _smooth((rows - 0.6) / 0.4)
        half = (neck + arms).astype(np.float32)[:, None] * np.float32(a.sx)
        return _smooth((half - np.abs(self.x - np.float32(a.cx))) / 0.014)

    def body(self) -> Plane:
        """Soft tissue: thick in the middle, thin at the flanks, thicker under the diaphragm."""
        a = self.a
        dx = (self.x - np.float32(a.cx)) / np.float32(0.5 * a.sx)
        thick = np.sqrt(np.clip(1.05 - dx**2, 0.04, 1))
        belly = _smooth((self.y - np.float32(0.75 + 0.1 * (a.cy - 0.5))) / 0.12)
        tissue = (0.40 + a.flesh + 0.26 * thick + 0.08 * belly) * np.float32(1.0)
        for sign in (-1, 1):
            breast = self.ellipse(a.cx + sign * 0.21 * a.sx, 0.66, 0.17 * a.sx, 0.16, soft=0.10)
            tissue = tissue + np.float32(a.breast) * breast
            blade = self.ellipse(a.cx + sign * 0.40 * a.sx, 0.33, 0.075, 0.19, tilt=sign * 0.28, soft=0.02)
            tissue = tissue + np.float32(0.045) * blade
        return tissue.astype(np.float32)

    def mediastinum(self) -> Plane:
        """Great vessels and aortic arch beside the spine."""
        a = self.a
        band = _smooth((0.062 * a.sx + 0.012 * self.y - np.abs(self.x - a.cx - 0.006)) / 0.014)
        arch = self.ellipse(a.cx + 0.058 * a.sx, a.cy - 0.17, 0.042, 0.052, soft=0.014)
        atrium = self.ellipse(a.cx - 0.055 * a.sx, a.heart_y - 0.02, 0.055, 0.10, soft=0.016)
        return np.maximum(np.maximum(band, arch), np.float32(0.6) * atrium)

    def vessels(self) -> Plane:
        """The hila and the vessels that branch from them into the lungs."""
        tree = np.zeros((self.height, self.width), dtype=np.float32)
        for stroke in self.a.vessels:
            self._stroke(tree, *stroke)
        for sign in (-1, 1):
            hilum = self.ellipse(
                self.a.cx + sign * 0.085 * self.a.sx, self.a.cy - 0.03 + 0.01 * sign, 0.034, 0.062, soft=0.03
            )
            tree = np.maximum(tree, np.float32(0.42) * hilum)
        return tree

    def bones(self) -> Plane:
        """Ribs behind and in front, collar bones, spine and windpipe."""
        a = self.a
        side = np.abs(self.x - np.float32(a.cx)) / np.float32(a.sx)
        cage = _smooth((np.float32(0.385) - side - 0.9 * np.maximum(0.22 - self.y, 0) ** 1.0) / 0.02)
        depth = _smooth((self.y - 0.075) / 0.02) * _smooth((np.float32(0.86) - self.y) / 0.05)
        behind = (self.y - 1.15 * side**2 + 0.16 * side - a.rib_phase) / np.float32(a.rib_gap)
        front = (self.y - 0.55 * (0.42 - side) - a.rib_phase * 1.7) / np.float32(a.rib_gap * 1.12)
        bones = np.float32(a.rib) * _band(behind, 0.21) * _smooth((side - 0.05) / 0.02)
        bones = bones + np.float32(0.55 * a.rib) * _band(front, 0.19) * _smooth((side - 0.17) / 0.05)
        bones = bones * cage * depth
        collar = np.zeros((self.height, self.width), dtype=np.float32)
        for sign in (-1, 1):
            inner = (a.cx + sign * 0.035, a.clavicle + 0.055)
            elbow = (a.cx + sign * 0.16 * a.sx, a.clavicle + 0.02)
            outer = (a.cx + sign * 0.34 * a.sx, a.clavicle - 0.035)
            self._stroke(collar, *inner, *elbow, 0.015, 0.9)
            self._stroke(collar, *elbow, *outer, 0.013, 0.9)
        column = _smooth((np.float32(0.04) - np.abs(self.x - a.cx)) / 0.012)
        discs = 0.7 + 0.3 * _band(self.y / 0.062 + a.rib_phase, 0.36)
        windpipe = _smooth((0.017 - np.abs(self.x - a.cx + 0.004)) / 0.01)
        windpipe = windpipe * _smooth((a.cy - 0.12 - self.y) / 0.03)
        bones = bones + 0.075 * collar + 0.075 * column * discs - 0.085 * windpipe
        skeleton: Plane = bones.astype(np.float32)
        return skeleton

    def stomach(self) -> Plane:
        """The gas bubble under the left half of the diaphragm."""
        a = self.a
        return self.ellipse(a.cx + 0.19 * a.sx, a.dome["left"] + 0.075, 0.065, 0.032, soft=0.02)

    def marker(self) -> Plane:
        """The technician's lead letter L beside the patient's left shoulder."""
        letter = np.zeros((self.height, self.width), dtype=np.float32)
        self._stroke(letter, 0.925, 0.045, 0.925, 0.095, 0.007, 1.0)
        self._stroke(letter, 0.925, 0.095, 0.952, 0.095, 0.007, 1.0)
        return letter

    def _stroke(
        self, plane: Plane, x0: float, y0: float, x1: float, y1: float, half: float, amount: float
    ) -> None:
        """Draw a soft line from (x0, y0) to (x1, y1) into the plane, keeping what is denser."""
        left, right = sorted((x0, x1))
        top, bottom = sorted((y0, y1))
        pad = 2 * half
        columns = slice(max(int((left - pad) * self.width), 0), max(int((right + pad) * self.width) + 2, 0))
        rows = slice(max(int((top - pad) * self.height), 0), max(int((bottom + pad) * self.height) + 2, 0))
        x, y = self.x[:, columns] - np.float32(x0), self.y[rows] - np.float32(y0)
        dx, dy = x1 - x0, y1 - y0
        t = np.clip((x * dx + y * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
        distance = np.sqrt((x - t * dx) ** 2 + (y - t * dy) ** 2)
        window = plane[rows, columns]
        np.maximum(window, np.float32(amount) * _smooth(1 - distance / half), out=window)


def _band(phase: Plane, half: float) -> Plane:
    """Soft bands, one for each whole number the phase passes; `half` is half a band's share of the gap."""
    distance = np.abs(phase - np.floor(phase) - np.float32(0.5))
    return _smooth((np.float32(half) - distance) / np.float32(0.09))
