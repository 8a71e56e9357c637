// Runs of RUN neighbours in a row of a map of this height and width. The last run of a row may reach past its end.

// Picture, row and first column of the nth run of one replica.
fn run_at(replica: u32, nth: u32, height: u32, width: u32) -> vec3<u32> {
    let runs = (width + RUN - 1u) / RUN;
    let row = nth / runs;
    return vec3(replica * params.batch + row / height, row % height, nth % runs * RUN);
}

// The number of runs of one replica.
fn runs_in(height: u32, width: u32) -> u32 {
    return params.batch * height * ((width + RUN - 1u) / RUN);
}
