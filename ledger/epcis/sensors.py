"""A sensor element in normal form: what XML writes as attributes and JSON as members, alike.

    {"sensorMetadata": {"time": "2019-04-02T13:05:00.000000Z", "http://example.com/ext1#note": "x"},
     "sensorReport": [{"type": "Temperature", "value": "26", "uom": "CEL"}]}

``sensorReport`` is always a list, in the document's order. Numbers are decimal text without superfluous zeros, times
are canonical, words of GS1's vocabularies bare; other texts are kept as written. Source: EPCIS 2.0, 7.3.7.
"""

import re
from collections.abc import Callable

from ledger.custody.event import format_time
from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.epcis.trees import Tree, elements
from ledger.epcis.values import parse_decimal, parse_time, parse_uri
from ledger.gs1.errors import shown

TIMES = frozenset(("time", "startTime", "endTime"))
URIS = frozenset("deviceID deviceMetadata rawData dataProcessingMethod bizRules".split())
METADATA = TIMES | URIS
NUMBERS = frozenset("value minValue maxValue meanValue sDev percRank percValue".split())
REPORT_URIS = frozenset("microorganism chemicalSubstance coordinateReferenceSystem uriValue".split())
WORDS = frozenset(("type", "exception", "component"))
REPORT = (
    URIS
    | NUMBERS
    | REPORT_URIS
    | WORDS
    | frozenset("time stringValue booleanValue hexBinaryValue uom".split())
)

MEASUREMENTS = frozenset(
    "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance "
    "AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance "
    "Conductance "
    "Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge "
    "ElectricCurrent "
    "ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance "
    "KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux "
    "MagneticFluxDensity "
    "MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity "
    "MolalityOfSolute MolarEnergy "
    "MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity "
    "SolidAngle "
    "SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate "
    "VolumeFraction "
    "VolumetricFlux Wavenumber".split()
)
ALERTS = frozenset(("ALARM_CONDITION", "ERROR_CONDITION"))
COMPONENTS = frozenset(
    "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude "
    "longitude "
    "altitude".split()
)
_KNOWN = {"type": MEASUREMENTS, "exception": ALERTS, "component": COMPONENTS}
_PREFIXES = {
    "type": re.compile(r"https?://(?:www\.)?gs1\.org/voc/|https://ref\.gs1\.org/voc/|gs1:"),
    "exception": re.compile(r"https?://(?:www\.)?gs1\.org/voc/|https://ref\.gs1\.org/voc/|gs1:"),
    "component": re.compile(r"https://(?:ref|ns)\.gs1\.org/cbv/Comp-|cbv:Comp-|urn:epcglobal:cbv:comp:"),
}
_HEX = re.compile(r"[0-9A-Fa-f]+")


def normal(element: Tree, word: Callable[[str], str]) -> tuple[Tree, list[str]]:
    """The sensor element in normal form, and what is unclear in it: a measurement decides nothing here, so a word
    that GS1 does not have is remarked on and kept. `word` writes out abbreviated vocabulary values. Raises
    `ValueProblem`.
    """
    if not isinstance(element, dict):
        raise ValueProblem(ProblemCode.WRONG_TYPE, "a sensorElement is an object")
    unclear: list[str] = []
    found: dict[str, Tree] = {}
    for name, value in element.items():
        if name == "sensorMetadata":
            found[name] = _members(value, METADATA, word, "sensorMetadata", unclear)
        elif name == "sensorReport":
            reports = [_members(part, REPORT, word, "sensorReport", unclear) for part in elements(value)]
            if any("type" not in report for report in reports):
                unclear.append("a sensorReport has no type, so nobody can say what was measured")
            found[name] = list(reports)
        elif "#" in name and name != "#text":
            found[name] = value
        else:
            raise ValueProblem(
                ProblemCode.UNKNOWN_MEMBER, f"{shown(name)} does not belong in a sensorElement"
            )
    if not found.get("sensorReport"):
        raise ValueProblem(ProblemCode.BAD_SENSOR, "a sensorElement needs a sensorReport")
    return found, unclear


def _members(
    value: Tree, known: frozenset[str], word: Callable[[str], str], what: str, unclear: list[str]
) -> dict[str, Tree]:
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise ValueProblem(ProblemCode.WRONG_TYPE, f"a {what} is an object")
    found: dict[str, Tree] = {}
    for name, item in value.items():
        if "#" in name and name != "#text":
            found[name] = item
        elif name not in known:
            raise ValueProblem(ProblemCode.UNKNOWN_MEMBER, f"{shown(name)} does not belong in a {what}")
        elif not isinstance(item, str):
            raise ValueProblem(ProblemCode.WRONG_TYPE, f"{name} of a {what} is one value")
        elif name in WORDS:
            found[name] = _word(name, word(item), unclear)
        else:
            found[name] = _standard(name, item)
    return found


def _standard(name: str, text: str) -> str:
    if name in NUMBERS:
        return parse_decimal(text, ProblemCode.BAD_SENSOR)
    if name in TIMES:
        return format_time(parse_time(text)[0])
    if name in URIS or name in REPORT_URIS:
        return parse_uri(text, name)
    if name == "booleanValue":
        value = {"true": "true", "1": "true", "false": "false", "0": "false"}.get(text)
        if value is None:
            raise ValueProblem(ProblemCode.BAD_SENSOR, f"booleanValue is true or false, not {shown(text)}")
        return value
    if name == "hexBinaryValue" and _HEX.fullmatch(text) is None:
        raise ValueProblem(
            ProblemCode.BAD_SENSOR, f"hexBinaryValue has hexadecimal digits, not {shown(text)}"
        )
    return text


def _word(name: str, text: str, unclear: list[str]) -> str:
    prefix = _PREFIXES[name].match(text)
    if prefix is not None:
        text = text[prefix.end() :]
    elif ":" in text:
        return text
    if text not in _KNOWN[name]:
        unclear.append(f"{shown(text)} is no {name} of GS1's vocabulary; it is kept as it is")
    return text
