"""Speed, measured beside a yardstick in the same run; `make bench` prints the table and writes build/bench.json."""
