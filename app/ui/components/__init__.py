"""The parts that screens are made of: functions of state, without input or output of their own."""
