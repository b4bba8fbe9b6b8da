extension Circuit.Kind {
    /// What a circuit is called tells of its kind: whole words in any of the names, a number behind a word left aside.
    /// It says more than a colour: the sign of the circuit, and whether it is use at all, follow the kind, and a car's
    /// charging is no phantom load. What is not told clearly is a load.
    public init(guessedFrom names: String...) {
        let words = Set(
            names.flatMap { $0.lowercased().split { !$0.isLetter && !$0.isNumber } }.map { word in
                var word = word
                while word.count > 1, word.last?.isNumber == true { word.removeLast() }
                return String(word)
            })
        func has(_ wanted: String...) -> Bool { !words.isDisjoint(with: wanted) }
        func hasAll(_ wanted: String...) -> Bool { words.isSuperset(of: wanted) }
        // Their makers and their chargers are those of other things, too.
        let isCar =
            has("ev", "evse", "wallbox", "car", "vehicle") || hasAll("wall", "connector") || hasAll("tesla", "charger")
        if has("powerwall") || (has("battery") && !isCar) {
            self = .battery
        } else if isCar {
            self = .ev
        } else if has("hvac", "heatpump", "heating", "heater", "boiler", "furnace", "aircon", "ac")
            || hasAll("heat", "pump")
        {
            self = .heating
        } else if has("solar", "pv", "photovoltaic") {
            self = .solar
        } else if has("grid", "mains") {
            self = .grid
        } else {
            self = .load
        }
    }
}
