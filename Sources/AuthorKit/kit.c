#include "author_kit.h"

/* A file is one array here, and a line of the table below for each language that has it. */

static const unsigned char c_makefile[] = {
#embed "templates/c/Makefile"
};
static const unsigned char c_readme_md[] = {
#embed "templates/c/README.md"
};
static const unsigned char c_gitignore[] = {
#embed "templates/c/gitignore"
};
static const unsigned char c_my_meter_c[] = {
#embed "templates/c/my_meter.c"
};
static const unsigned char c_test_c[] = {
#embed "templates/c/test.c"
};
static const unsigned char adapterabi_include_meter_adapter_h[] = {
#embed "../AdapterABI/include/meter_adapter.h"
};
static const unsigned char rust_cargo_lock[] = {
#embed "templates/rust/Cargo.lock"
};
static const unsigned char rust_cargo_toml[] = {
#embed "templates/rust/Cargo.toml"
};
static const unsigned char rust_readme_md[] = {
#embed "templates/rust/README.md"
};
static const unsigned char rust_gitignore[] = {
#embed "templates/rust/gitignore"
};
static const unsigned char rust_src_abi_rs[] = {
#embed "templates/rust/src/abi.rs"
};
static const unsigned char rust_src_abi_tests_rs[] = {
#embed "templates/rust/src/abi_tests.rs"
};
static const unsigned char rust_src_kit_export_rs[] = {
#embed "templates/rust/src/kit/export.rs"
};
static const unsigned char rust_src_kit_history_rs[] = {
#embed "templates/rust/src/kit/history.rs"
};
static const unsigned char rust_src_kit_host_rs[] = {
#embed "templates/rust/src/kit/host.rs"
};
static const unsigned char rust_src_kit_login_rs[] = {
#embed "templates/rust/src/kit/login.rs"
};
static const unsigned char rust_src_kit_mod_rs[] = {
#embed "templates/rust/src/kit/mod.rs"
};
static const unsigned char rust_src_kit_reading_rs[] = {
#embed "templates/rust/src/kit/reading.rs"
};
static const unsigned char rust_src_lib_rs[] = {
#embed "templates/rust/src/lib.rs"
};
static const unsigned char rust_src_test_host_rs[] = {
#embed "templates/rust/src/test_host.rs"
};
static const unsigned char swift_package_swift[] = {
#embed "templates/swift/Package.swift"
};
static const unsigned char swift_readme_md[] = {
#embed "templates/swift/README.md"
};
static const unsigned char swift_adapter_map[] = {
#embed "templates/swift/adapter.map"
};
static const unsigned char swift_gitignore[] = {
#embed "templates/swift/gitignore"
};
static const unsigned char swift_sources_adapter_meter_swift[] = {
#embed "templates/swift/Sources/Adapter/Meter.swift"
};
static const unsigned char swift_sources_entry_entry_swift[] = {
#embed "templates/swift/Sources/Entry/entry.swift"
};
static const unsigned char swift_tests_adaptertests_metertests_swift[] = {
#embed "templates/swift/Tests/AdapterTests/MeterTests.swift"
};
static const unsigned char adapterabi_layout_c[] = {
#embed "../AdapterABI/layout.c"
};
static const unsigned char adapterkit_adapterdescriptor_swift[] = {
#embed "../AdapterKit/AdapterDescriptor.swift"
};
static const unsigned char adapterkit_adaptererror_swift[] = {
#embed "../AdapterKit/AdapterError.swift"
};
static const unsigned char adapterkit_adapterhost_swift[] = {
#embed "../AdapterKit/AdapterHost.swift"
};
static const unsigned char adapterkit_circuitkindguess_swift[] = {
#embed "../AdapterKit/CircuitKindGuess.swift"
};
static const unsigned char adapterkit_export_swift[] = {
#embed "../AdapterKit/Export.swift"
};
static const unsigned char adapterkit_httprequest_swift[] = {
#embed "../AdapterKit/HTTPRequest.swift"
};
static const unsigned char adapterkit_history_swift[] = {
#embed "../AdapterKit/History.swift"
};
static const unsigned char adapterkit_isotime_swift[] = {
#embed "../AdapterKit/ISOTime.swift"
};
static const unsigned char adapterkit_json_swift[] = {
#embed "../AdapterKit/JSON.swift"
};
static const unsigned char adapterkit_jsoncursor_swift[] = {
#embed "../AdapterKit/JSONCursor.swift"
};
static const unsigned char adapterkit_jsonnumber_swift[] = {
#embed "../AdapterKit/JSONNumber.swift"
};
static const unsigned char adapterkit_jsonparser_swift[] = {
#embed "../AdapterKit/JSONParser.swift"
};
static const unsigned char adapterkit_loginprompter_swift[] = {
#embed "../AdapterKit/LoginPrompter.swift"
};
static const unsigned char adapterkit_meteradapter_swift[] = {
#embed "../AdapterKit/MeterAdapter.swift"
};
static const unsigned char adapterkit_periodsum_swift[] = {
#embed "../AdapterKit/PeriodSum.swift"
};
static const unsigned char adapterkit_reading_abi_swift[] = {
#embed "../AdapterKit/Reading+ABI.swift"
};
static const unsigned char adapterkit_reading_swift[] = {
#embed "../AdapterKit/Reading.swift"
};
static const unsigned char adapterkit_textarena_swift[] = {
#embed "../AdapterKit/TextArena.swift"
};
static const unsigned char adapterkit_utctime_swift[] = {
#embed "../AdapterKit/UTCTime.swift"
};
static const unsigned char tests_fakehost_adapterundertest_swift[] = {
#embed "../../Tests/FakeHost/AdapterUnderTest.swift"
};
static const unsigned char tests_fakehost_emittedreading_swift[] = {
#embed "../../Tests/FakeHost/EmittedReading.swift"
};
static const unsigned char tests_fakehost_fakehttp_swift[] = {
#embed "../../Tests/FakeHost/FakeHTTP.swift"
};
static const unsigned char tests_fakehost_fakehost_swift[] = {
#embed "../../Tests/FakeHost/FakeHost.swift"
};
static const unsigned char tests_fakehost_historywalk_swift[] = {
#embed "../../Tests/FakeHost/HistoryWalk.swift"
};
static const unsigned char tests_fakehost_hostservices_swift[] = {
#embed "../../Tests/FakeHost/HostServices.swift"
};
static const unsigned char tests_fakehost_hosttables_swift[] = {
#embed "../../Tests/FakeHost/HostTables.swift"
};

/* Written for a name: my_meter, MY_METER and "My meter" become the author's. */
#define TEMPLATE(language, path, bytes) {language, path, 1, bytes, sizeof bytes}
/* As it is here, byte by byte. */
#define COPIED(language, path, bytes) {language, path, 0, bytes, sizeof bytes}

static const author_kit_file files[] = {
    TEMPLATE("c", "Makefile", c_makefile),
    TEMPLATE("c", "README.md", c_readme_md),
    TEMPLATE("c", ".gitignore", c_gitignore),
    TEMPLATE("c", "my_meter.c", c_my_meter_c),
    TEMPLATE("c", "test.c", c_test_c),
    COPIED("c", "meter_adapter.h", adapterabi_include_meter_adapter_h),
    TEMPLATE("rust", "Cargo.lock", rust_cargo_lock),
    TEMPLATE("rust", "Cargo.toml", rust_cargo_toml),
    TEMPLATE("rust", "README.md", rust_readme_md),
    TEMPLATE("rust", ".gitignore", rust_gitignore),
    TEMPLATE("rust", "src/abi.rs", rust_src_abi_rs),
    TEMPLATE("rust", "src/abi_tests.rs", rust_src_abi_tests_rs),
    TEMPLATE("rust", "src/kit/export.rs", rust_src_kit_export_rs),
    TEMPLATE("rust", "src/kit/history.rs", rust_src_kit_history_rs),
    TEMPLATE("rust", "src/kit/host.rs", rust_src_kit_host_rs),
    TEMPLATE("rust", "src/kit/login.rs", rust_src_kit_login_rs),
    TEMPLATE("rust", "src/kit/mod.rs", rust_src_kit_mod_rs),
    TEMPLATE("rust", "src/kit/reading.rs", rust_src_kit_reading_rs),
    TEMPLATE("rust", "src/lib.rs", rust_src_lib_rs),
    TEMPLATE("rust", "src/test_host.rs", rust_src_test_host_rs),
    COPIED("rust", "meter_adapter.h", adapterabi_include_meter_adapter_h),
    TEMPLATE("swift", "Package.swift", swift_package_swift),
    TEMPLATE("swift", "README.md", swift_readme_md),
    TEMPLATE("swift", "adapter.map", swift_adapter_map),
    TEMPLATE("swift", ".gitignore", swift_gitignore),
    TEMPLATE("swift", "Sources/Adapter/Meter.swift", swift_sources_adapter_meter_swift),
    TEMPLATE("swift", "Sources/Entry/entry.swift", swift_sources_entry_entry_swift),
    TEMPLATE("swift", "Tests/AdapterTests/MeterTests.swift", swift_tests_adaptertests_metertests_swift),
    COPIED("swift", "Sources/AdapterABI/include/meter_adapter.h", adapterabi_include_meter_adapter_h),
    COPIED("swift", "Sources/AdapterABI/layout.c", adapterabi_layout_c),
    COPIED("swift", "Sources/AdapterKit/AdapterDescriptor.swift", adapterkit_adapterdescriptor_swift),
    COPIED("swift", "Sources/AdapterKit/AdapterError.swift", adapterkit_adaptererror_swift),
    COPIED("swift", "Sources/AdapterKit/AdapterHost.swift", adapterkit_adapterhost_swift),
    COPIED("swift", "Sources/AdapterKit/CircuitKindGuess.swift", adapterkit_circuitkindguess_swift),
    COPIED("swift", "Sources/AdapterKit/Export.swift", adapterkit_export_swift),
    COPIED("swift", "Sources/AdapterKit/HTTPRequest.swift", adapterkit_httprequest_swift),
    COPIED("swift", "Sources/AdapterKit/History.swift", adapterkit_history_swift),
    COPIED("swift", "Sources/AdapterKit/ISOTime.swift", adapterkit_isotime_swift),
    COPIED("swift", "Sources/AdapterKit/JSON.swift", adapterkit_json_swift),
    COPIED("swift", "Sources/AdapterKit/JSONCursor.swift", adapterkit_jsoncursor_swift),
    COPIED("swift", "Sources/AdapterKit/JSONNumber.swift", adapterkit_jsonnumber_swift),
    COPIED("swift", "Sources/AdapterKit/JSONParser.swift", adapterkit_jsonparser_swift),
    COPIED("swift", "Sources/AdapterKit/LoginPrompter.swift", adapterkit_loginprompter_swift),
    COPIED("swift", "Sources/AdapterKit/MeterAdapter.swift", adapterkit_meteradapter_swift),
    COPIED("swift", "Sources/AdapterKit/PeriodSum.swift", adapterkit_periodsum_swift),
    COPIED("swift", "Sources/AdapterKit/Reading+ABI.swift", adapterkit_reading_abi_swift),
    COPIED("swift", "Sources/AdapterKit/Reading.swift", adapterkit_reading_swift),
    COPIED("swift", "Sources/AdapterKit/TextArena.swift", adapterkit_textarena_swift),
    COPIED("swift", "Sources/AdapterKit/UTCTime.swift", adapterkit_utctime_swift),
    COPIED("swift", "Tests/FakeHost/AdapterUnderTest.swift", tests_fakehost_adapterundertest_swift),
    COPIED("swift", "Tests/FakeHost/EmittedReading.swift", tests_fakehost_emittedreading_swift),
    COPIED("swift", "Tests/FakeHost/FakeHTTP.swift", tests_fakehost_fakehttp_swift),
    COPIED("swift", "Tests/FakeHost/FakeHost.swift", tests_fakehost_fakehost_swift),
    COPIED("swift", "Tests/FakeHost/HistoryWalk.swift", tests_fakehost_historywalk_swift),
    COPIED("swift", "Tests/FakeHost/HostServices.swift", tests_fakehost_hostservices_swift),
    COPIED("swift", "Tests/FakeHost/HostTables.swift", tests_fakehost_hosttables_swift),
};

size_t author_kit_count(void) { return sizeof files / sizeof *files; }

author_kit_file author_kit_at(size_t index) {
    return index < author_kit_count() ? files[index] : (author_kit_file){0};
}
