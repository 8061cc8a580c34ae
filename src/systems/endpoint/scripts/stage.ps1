# Downloads, verifies and unpacks the package, unless it lies there already.
param($Parameters)

Use-Host $Parameters {
    $folder = Get-PackageFolder $Parameters.workDirectory $Parameters.sha256
    if (-not (Get-StagedPackage $folder $Parameters.sha256).problem) { return @{ sha256 = $Parameters.sha256; blocked = @() } }
    Receive-Package $folder $Parameters.packageUrl $Parameters.sha256
}
