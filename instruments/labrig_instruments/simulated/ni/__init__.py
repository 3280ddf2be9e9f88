"""NI-DAQmx played over gRPC: tasks, timing, errors and devices as the real driver has them, on the simulated plant."""
