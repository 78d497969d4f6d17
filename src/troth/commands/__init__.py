"""The commands of ``troth``, a file for each group. A command reads, asks the rooms below, and says what came of it."""
