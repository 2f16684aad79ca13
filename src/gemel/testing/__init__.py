"""Testing: public kits to try a twin without a plant: clocks, a broker, a pumping station, conformance checks."""
