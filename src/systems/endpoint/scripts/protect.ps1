# At the start of a worker: its folders are there, for administrators alone, and so is the one that has its configuration.
param($Parameters)

Use-Host $Parameters {
    $exposure = if ($Parameters.settings) { Get-Exposure $Parameters.settings }
    if ($exposure) { Fail 'UnexpectedState' "$exposure, so the configuration in it is not to be trusted" }
    @{}
}
