// Units of measure by their codes in UN/CEFACT Recommendation 20, as far as the measurement types
// of the GS1 Web Vocabulary use them, and their conversion: a query for 300 KEL finds an event
// with 26.85 CEL.
//
// Factors follow the units' definitions (SI brochure, 9th edition; NIST SP 811, appendix B), not
// tables of rounded ones.
//
// Threading: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace theriac::epcis {

enum class Quantity : std::uint8_t {
  kRatio,  ///< counts, fractions, humidity: C62 is one, P1 a hundredth
  kLength,
  kArea,
  kVolume,
  kMass,
  kTime,
  kTemperature,
  kAngle,
  kSolidAngle,
  kSpeed,
  kAcceleration,
  kAngularVelocity,
  kFrequency,
  kForce,
  kPressure,
  kEnergy,
  kPower,
  kTorque,
  kDensity,
  kSpecificVolume,
  kMassFlow,
  kVolumeFlow,
  kDynamicViscosity,
  kKinematicViscosity,
  kAmount,
  kConcentration,
  kMolarMass,
  kMolarVolume,
  kMolarEnergy,
  kCurrent,
  kCharge,
  kVoltage,
  kResistance,
  kConductance,
  kConductivity,
  kCapacitance,
  kInductance,
  kMagneticFlux,
  kMagneticFluxDensity,
  kIlluminance,
  kLuminousFlux,
  kLuminousIntensity,
  kLuminance,
  kIrradiance,
  kActivity,
  kAbsorbedDose,
  kAbsorbedDoseRate,
  kDoseEquivalent,
  kDoseEquivalentRate,
  kExposure,
  kMemory
};

struct Unit {
  std::string_view code;
  Quantity quantity;
  double factor;        ///< of the SI unit
  double offset = 0.0;  ///< in the SI unit: kelvin at 0 degrees
};

/// Nothing for codes that are not known.
std::optional<Unit> unit_of(std::string_view code);

/// In the SI unit of the quantity.
double to_base(const Unit& unit, double value);
/// Of a difference, such as a standard deviation: without the offset.
double difference_to_base(const Unit& unit, double difference);

}  // namespace theriac::epcis
