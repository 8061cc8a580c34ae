# Copies a gateway application as it is now, with a list of what was copied and of the access to it, and tells what the copy and the
# application hold. The copy itself is for administrators alone, whoever may read the application.
# 'copy' says when: 'never', only 'ifMissing', or 'always' anew.
param($Parameters)

# Copies a file that others may write to, and tells what was read of it: a list that is made afterwards would be of another file.
function Copy-Read([string] $From, [string] $To) {
    $before = Get-Item -LiteralPath $From -Force
    $source = Open-File $From
    $sha256 = [Security.Cryptography.SHA256]::Create()
    try {
        $target = [IO.File]::Create($To)
        try {
            $hashing = New-Object System.Security.Cryptography.CryptoStream -ArgumentList $target, $sha256, ([Security.Cryptography.CryptoStreamMode]::Write)
            $source.CopyTo($hashing)
            $hashing.FlushFinalBlock()
            $bytes = $target.Length
        } finally {
            $target.Dispose()
        }
        $hash = [BitConverter]::ToString($sha256.Hash).Replace('-', '').ToLowerInvariant()
    } finally {
        $sha256.Dispose()
        $source.Dispose()
    }
    [IO.File]::SetLastWriteTimeUtc($To, $before.LastWriteTimeUtc)
    [IO.File]::SetAttributes($To, ($before.Attributes -band [IO.FileAttributes] 'ReadOnly, Hidden, System, Archive'))
    @{ bytes = $bytes; sha256 = $hash; written = $before.LastWriteTimeUtc }
}

# Copies an application. Tells every file with what was read of it; which grew meanwhile; which of its own doing nobody else can read.
function Copy-Application([string] $From, [string] $To) {
    $made = @{ files = @(); grew = @(); unread = @() }
    $root = (Get-Item -LiteralPath $From -Force).FullName.TrimEnd('\', '/')
    foreach ($folder in @(Get-ChildItem -LiteralPath $root -Recurse -Directory -Force)) {
        $null = New-Item -ItemType Directory -Path (Join-Path $To $folder.FullName.Substring($root.Length + 1)) -Force
    }
    $copied = @{}
    foreach ($path in @(Get-Paths $From)) {
        try {
            $read = Copy-Read (Join-Path $From $path) (Join-Path $To $path)
            if (-not (Test-Volatile $path)) { $copied[$path] = $read }
        } catch {
            if (-not (Test-Volatile $path)) { throw }
            $made.unread += $path
        }
    }
    foreach ($path in @($copied.Keys | Sort-Object)) {
        $read = $copied[$path]
        $now = Get-Item -LiteralPath (Join-Path $From $path) -Force
        if ($now.Length -gt $read.bytes) {
            $made.grew += $path
        } elseif ($now.LastWriteTimeUtc -ne $read.written) {
            Fail 'NotYet' "$(Join-Path $From $path) was changed while it was copied"
        } else {
            $made.files += @{ path = $path; bytes = $read.bytes; sha256 = $read.sha256 }
        }
    }
    $made
}

# Complete copies of the same application that other operations have made. For people: no script goes back to them by itself.
function Get-OtherBackups {
    foreach ($other in @(Get-ChildItem -LiteralPath (Join-Path $Parameters.workDirectory 'backups') -Directory -ErrorAction SilentlyContinue)) {
        $known = Join-Path $other.FullName 'files.json'
        if (-not (Test-Path -LiteralPath $known)) { continue }
        $made = Read-Json $known
        if ($made.site -eq $Parameters.site -and $made.application -eq $Parameters.application) {
            @{ path = $other.FullName; operation = [string] $made.operation; at = (Get-Time $made.at) }
        }
    }
}

Use-Host $Parameters {
    Confirm-Seen $Parameters
    Confirm-NoSetup
    $application = Get-Application $Parameters.site $Parameters.application
    $folder = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
    $files = Join-Path $folder 'files'
    # Written last: a copy without its list is a copy that was interrupted.
    $list = Join-Path $folder 'files.json'
    if ($Parameters.copy -eq 'always' -or ($Parameters.copy -eq 'ifMissing' -and -not (Test-Path -LiteralPath $list))) {
        if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force }
        $null = New-Item -ItemType Directory -Path $files -Force
        $made = Copy-Application $application.physicalPath $files
        # The configuration of IIS is a copy to look at: restoring it would touch sites that are not ours.
        if (Get-Command -Name Backup-WebConfiguration -ErrorAction SilentlyContinue) {
            if (-not @(Get-WebConfigurationBackup | Where-Object { $_.Name -eq $Parameters.backup })) {
                $null = Backup-WebConfiguration -Name $Parameters.backup
            }
        }
        Save-Json $list @{
            operation = $Parameters.operation; site = $Parameters.site; application = $Parameters.application; at = (Get-Now)
            source = $application.physicalPath; files = $made.files; grew = $made.grew; unread = $made.unread
            access = @(Get-ExplicitAccess $application.physicalPath $made.grew)
        }
    }
    $known = if (Test-Path -LiteralPath $list) { Read-Json $list }
    $grew = @(if ($known) { $known.grew })
    @{
        path     = $folder
        copy     = if ($known) {
            @{ listed = @($known.files); copied = @(Get-FileList $files @(Get-SitePaths $files $grew)); grew = $grew; unread = @($known.unread) }
        } else {
            $null
        }
        deployed = @(Get-FileList $application.physicalPath @(Get-SitePaths $application.physicalPath $grew))
        ownDoing = @(Get-Paths $application.physicalPath | Where-Object { Test-Volatile $_ $grew })
        others   = @(if (-not $known) { Get-OtherBackups })
    }
}
