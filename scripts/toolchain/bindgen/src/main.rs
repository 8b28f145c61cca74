//! Writes the JavaScript half of a wasm module: `edgeward-bindgen INPUT.wasm OUT_DIR`.
//!
//! Owns: the options of wasm-bindgen. Called by: `scripts/wasm/pipeline.mjs`.
use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(input), Some(out_dir)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: edgeward-bindgen INPUT.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name("index")
        .typescript(false)
        // A wasm instance that has trapped is replaced by a new one at the next call.
        .reset_state_function(true);
    let written = bindgen.module(true).and_then(|bindgen| bindgen.generate(out_dir));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
