# What an upgrade will need of the host: whether the files of its applications can be read, how much space there is, and whether the
# packages can be fetched and unpacked. Leaves nothing behind.
param($Parameters)

$packages = Join-Path $Parameters.workDirectory 'packages'
$until = [DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds)

# Files that could not be copied, each with the reason. What somebody holds for a moment is tried again.
function Get-Unread([string] $Folder) {
    $left = @(Get-SitePaths $Folder)
    while ($true) {
        $unread = @(foreach ($path in $left) {
                $file = Join-Path $Folder $path
                if (-not (Test-Path -LiteralPath $file)) { continue }
                try { (Open-File $file).Dispose() } catch { @{ path = $path; problem = [string] $_.Exception.GetBaseException().Message } }
            })
        if ($unread.Count -eq 0 -or [DateTime]::UtcNow -ge $until) { return $unread }
        $left = @($unread | ForEach-Object { $_.path })
        Start-Sleep -Milliseconds 500
    }
}

function Get-Size([string] $Folder) {
    [long] (Get-ChildItem -LiteralPath $Folder -Recurse -File -Force | Measure-Object -Property Length -Sum).Sum
}

function Test-Application($Key) {
    $seen = @{ site = $Key.site; application = $Key.application; bytes = 0; unread = @() }
    try {
        $folder = (Get-Application $Key.site $Key.application).physicalPath
        $seen.bytes = Get-Size $folder
        $seen.unread = @(Get-Unread $folder)
    } catch {
        $seen.unread = @(@{ path = '.'; problem = [string] $_.Exception.GetBaseException().Message })
    }
    $seen
}

# Where paths are as long as they will be: on Windows they end at 260 characters.
$folder = Join-Path $packages ('look-{0:d11}' -f $PID)

function Test-Package($Package) {
    $sha256 = [string] $Package.sha256
    $seen = @{ version = $Package.version; bytes = 0; sha256 = $sha256; blocked = @(); problem = ''; kind = '' }
    try {
        if (-not (Get-StagedPackage (Get-PackageFolder $Parameters.workDirectory $sha256) $sha256).problem) { return $seen }
        # Where there is no work directory any more, it is made as at the start of the worker.
        Protect-Folder $Parameters.workDirectory
        $saved = Receive-Package $folder $Package.url $sha256
        $seen.sha256 = $saved.sha256
        $seen.blocked = $saved.blocked
        $seen.bytes = Get-Size $folder
    } catch {
        $seen.problem = [string] $_.Exception.Message
        $seen.kind = [string] $_.Exception.Data['kind']
    } finally {
        if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force }
    }
    $seen
}

# Of a look that was ended by force.
if (Test-Path -LiteralPath $packages) {
    Get-ChildItem -LiteralPath $packages -Directory -Filter 'look-*' |
        Where-Object { -not (Get-Process -Id ([int] $_.Name.Substring(5)) -ErrorAction SilentlyContinue) } |
        ForEach-Object { Remove-Item -LiteralPath $_.FullName -Recurse -Force }
}

@{
    freeBytes    = [long] (New-Object System.IO.DriveInfo ([IO.Path]::GetPathRoot($Parameters.workDirectory))).AvailableFreeSpace
    applications = @($Parameters.applications | ForEach-Object { Test-Application $_ })
    packages     = @($Parameters.packages | ForEach-Object { Test-Package $_ })
}
