# Downloads the package, verifies it, and unpacks it in the order of the procedure: unpack, unblock O365-Web.zip, unpack that.
param($Parameters)

# The mark of files that came from the internet; unpacking would hand it on to what is unpacked.
function Test-Blocked([string] $File) { [bool] (Get-Item -LiteralPath $File -Stream Zone.Identifier -ErrorAction SilentlyContinue) }

function Find-One([string] $Folder, [string] $Name) {
    $found = @(Get-ChildItem -LiteralPath $Folder -Recurse -File -Force | Where-Object { $_.Name -eq $Name })
    if ($found.Count -ne 1) { Fail 'UnexpectedState' "the package must hold exactly one $Name, and holds $($found.Count)" }
    $found[0].FullName
}

Use-Host $Parameters.operation {
    $folder = [IO.Path]::Combine($Parameters.workDirectory, 'packages', $Parameters.sha256)
    $staged = Join-Path $folder 'staged.json'
    if (Test-Path -LiteralPath $staged) {
        $known = Read-Json $staged
        if (Test-Path -LiteralPath (Join-Path $known.directory 'setup.cmd')) {
            return @{ directory = $known.directory; sha256 = $Parameters.sha256; blocked = @() }
        }
    }
    if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force }
    $null = New-Item -ItemType Directory -Path $folder -Force

    $package = Join-Path $folder 'package.zip'
    try {
        Invoke-WebRequest -Uri $Parameters.packageUrl -OutFile $package -UseBasicParsing -TimeoutSec 600
    } catch {
        Fail 'Unreachable' "the package cannot be downloaded from $($Parameters.packageUrl): $($_.Exception.Message)"
    }
    $sha256 = (Get-FileHash -LiteralPath $package -Algorithm SHA256).Hash.ToLowerInvariant()
    if ($sha256 -ne $Parameters.sha256) { return @{ directory = ''; sha256 = $sha256; blocked = @() } }

    $unpacked = Join-Path $folder 'package'
    Expand-Archive -LiteralPath $package -DestinationPath $unpacked -Force
    $archive = Find-One $unpacked 'O365-Web.zip'
    Unblock-File -LiteralPath $archive
    $blocked = @(@($archive) | Where-Object { Test-Blocked $_ })
    $web = Join-Path $folder 'web'
    Expand-Archive -LiteralPath $archive -DestinationPath $web -Force
    $directory = Split-Path -Parent (Find-One $web 'setup.cmd')
    $blocked += @(Get-ChildItem -LiteralPath $web -Recurse -File -Force | ForEach-Object { $_.FullName } | Where-Object { Test-Blocked $_ })
    if ($blocked.Count -eq 0) { Save-Json $staged @{ directory = $directory; at = (Get-Now) } }
    @{ directory = $directory; sha256 = $sha256; blocked = $blocked }
}
