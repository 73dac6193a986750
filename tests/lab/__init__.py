"""The lab: real parts on loopback for the demo, the tests and the benchmarks."""
