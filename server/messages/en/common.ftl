clock-and-day = { $clock } on { $day }
