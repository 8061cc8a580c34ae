# Downloads the package, verifies it, and unpacks it in the order of the procedure: unpack, unblock O365-Web.zip, unpack that.
param($Parameters)

# The mark of files that came from the internet; unpacking would hand it on to what is unpacked.
function Test-Blocked([string] $File) { [bool] (Get-Item -LiteralPath $File -Stream Zone.Identifier -ErrorAction SilentlyContinue) }

Use-Host $Parameters {
    $result = @{ sha256 = $Parameters.sha256; blocked = @() }
    if (-not (Get-StagedPackage $Parameters.workDirectory $Parameters.sha256).problem) { return $result }
    $folder = Get-PackageFolder $Parameters.workDirectory $Parameters.sha256
    if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force }
    $null = New-Item -ItemType Directory -Path $folder -Force

    $package = Join-Path $folder 'package.zip'
    try {
        Invoke-WebRequest -Uri $Parameters.packageUrl -OutFile $package -UseBasicParsing -TimeoutSec 600
    } catch {
        # What follows the question mark may be a signature, which is as good as a password.
        Fail 'Unreachable' "the package cannot be downloaded from $(([string] $Parameters.packageUrl).Split('?')[0]): $($_.Exception.Message)"
    }
    $result.sha256 = Get-Sha256 $package
    if ($result.sha256 -ne $Parameters.sha256) { return $result }

    $unpacked = Join-Path $folder 'package'
    Expand-Archive -LiteralPath $package -DestinationPath $unpacked -Force
    Confirm-Unpacked $package $unpacked
    $archive = Find-One $unpacked 'O365-Web.zip'
    Unblock-File -LiteralPath $archive
    $web = Join-Path $folder 'web'
    Expand-Archive -LiteralPath $archive -DestinationPath $web -Force
    Confirm-Unpacked $archive $web
    $result.blocked = @(@($archive) + @(Get-ChildItem -LiteralPath $web -Recurse -File -Force | ForEach-Object { $_.FullName }) | Where-Object { Test-Blocked $_ })
    if ($result.blocked.Count -gt 0) { return $result }
    $problem = (Get-StagedPackage $Parameters.workDirectory $Parameters.sha256).problem
    if ($problem) { Fail 'UnexpectedState' $problem }
    $result
}
