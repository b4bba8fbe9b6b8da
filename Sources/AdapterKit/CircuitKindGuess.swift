extension Circuit.Kind {
    /// What a circuit is called tells of its kind: whole words in any of the names, a number behind a word left aside.
    /// A wrong guess costs a colour in a chart.
    public init(guessedFrom names: String...) {
        let words = Set(
            names.flatMap { $0.lowercased().split { !$0.isLetter && !$0.isNumber } }.map { word in
                var word = word
                while word.count > 1, word.last?.isNumber == true { word.removeLast() }
                return String(word)
            })
        func has(_ wanted: String...) -> Bool { !words.isDisjoint(with: wanted) }
        if has("ev", "evse", "wallbox", "charger", "car", "tesla") {
            self = .ev
        } else if has("hvac", "heatpump", "heating", "heater", "boiler", "furnace", "aircon", "ac")
            || words.isSuperset(of: ["heat", "pump"])
        {
            self = .heating
        } else if has("solar", "pv", "photovoltaic") {
            self = .solar
        } else if has("battery", "powerwall") {
            self = .battery
        } else if has("grid", "mains") {
            self = .grid
        } else {
            self = .load
        }
    }
}
