"""What a workload takes - machines, memory, storage, hours, money - from measured costs and simulated queues."""
